import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { ClipfleetError } from '../errors.ts';

/** Where a folder's server lives: `data` keeps its files and the lock, `runtime` the socket and the lease. */
export interface RedisPlace {
  data: string;
  runtime: string;
  socket: string;
  lease: string;
}

/** The place of `dataDir`'s server; makes its directories. Throws REDIS_UNAVAILABLE when another user's are there. */
export async function placeOf(dataDir: string): Promise<RedisPlace> {
  await mkdir(join(dataDir, 'redis'), { recursive: true });
  const data = await realpath(join(dataDir, 'redis'));
  // Not the folder itself: a socket's path ends at 104 bytes (macOS; Linux 108). And not TMPDIR, which may differ
  // between two commands that are to find each other.
  const home = `/tmp/clipfleet-${process.getuid?.()}`;
  ensurePrivate(home);
  const name = createHash('sha256').update(data).digest('hex').slice(0, 16);
  const runtime = join(home, name);
  return {
    data,
    runtime,
    socket: join(runtime, 'redis.sock'),
    lease: join(runtime, 'lease'),
  };
}

/**
 * Makes the directory, or takes the one that is there, if nobody else may enter it. In a folder where everybody may
 * write, another user could have put one of this name first.
 *
 * Throws REDIS_UNAVAILABLE.
 */
export function ensurePrivate(directory: string): void {
  try {
    fs.mkdirSync(directory, { mode: 0o700 });
  } catch {
    // It is there already, most likely; what is there decides.
  }
  const found = fs.lstatSync(directory);
  if (found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0) return;
  throw new ClipfleetError(
    'REDIS_UNAVAILABLE',
    `${directory} must be a directory that you own and nobody else may enter (mode 700), but it is not ` +
      `(owner ${found.uid}, mode ${(found.mode & 0o7777).toString(8)}): remove it, or set REDIS_URL.`,
  );
}
