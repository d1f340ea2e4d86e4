import { createHash } from 'node:crypto';
import { access, constants, mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { ClipfleetError } from '../errors.ts';
import { privateTemporary } from '../files/userFolders.ts';

/** Where a folder's server lives: `data` keeps its files and the lock, `runtime` the socket and the lease. */
export interface RedisPlace {
  data: string;
  runtime: string;
  socket: string;
  lease: string;
}

/** The place of `dataDir`'s server; makes its directories. Throws DATA_DIR_UNUSABLE when they cannot be made or written. */
export async function placeOf(dataDir: string): Promise<RedisPlace> {
  await makeFolder(join(dataDir, 'redis'));
  const data = await realpath(join(dataDir, 'redis'));
  // Not the folder itself: a socket's path ends at 104 bytes (macOS; Linux 108). And not TMPDIR, which may differ
  // between two commands that are to find each other.
  const home = privateTemporary();
  const name = createHash('sha256').update(data).digest('hex').slice(0, 16);
  const runtime = join(home, name);
  return {
    data,
    runtime,
    socket: join(runtime, 'redis.sock'),
    lease: join(runtime, 'lease'),
  };
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (error) {
    const message =
      `Expected a folder to keep runs in, but ${folder} cannot be made or written (${(error as Error).message}): ` +
      'give another with --data-dir, or set REDIS_URL.';
    throw new ClipfleetError('DATA_DIR_UNUSABLE', message, { cause: error });
  }
}
