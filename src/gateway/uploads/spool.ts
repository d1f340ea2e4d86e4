import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import PQueue from 'p-queue';
import { ClipfleetError } from '../../shared/errors.ts';
import { isUploadName } from '../../shared/refs/uploadUri.ts';

/**
 * Uploaded images until workers have read them: a file each in one folder. Its name says when it expires and how many bytes it has, so nothing
 * else is remembered: gateways that share the folder share its bound, and one that is killed leaves nothing for ever.
 */
export interface Spool {
  /** Writes the bytes, and resolves to their name. @throws SPOOL_FULL */
  put(bytes: Uint8Array, keptMs: number): Promise<string>;
  /** The bytes of a name; undefined where it is unknown or has expired. */
  read(name: string): Promise<{ bytes: Readable; byteCount: number } | undefined>;
  remove(name: string): Promise<void>;
  close(): void;
}

export interface SpoolOptions {
  folder: string;
  /** Bytes of all files together, at most. */
  bytesMax: number;
}

const SWEEP_MS = 60_000;

/** @throws USAGE for a folder that cannot be made or written */
export async function openSpool({ folder, bytesMax }: SpoolOptions): Promise<Spool> {
  const pathOf = (name: string) => join(folder, name);
  // One at a time, so that uploads of one moment do not pass the bound together.
  const places = new PQueue({ concurrency: 1 });

  /** Removes what has expired, and says how many bytes are left. */
  async function sweep(): Promise<number> {
    const now = Date.now();
    let byteCount = 0;
    for (const name of await readdir(folder)) {
      if (!isUploadName(name)) continue;
      if (expiresAt(name) <= now) await rm(pathOf(name), { force: true });
      else byteCount += bytesOf(name);
    }
    return byteCount;
  }

  async function takePlace(byteCount: number, keptMs: number): Promise<{ name: string; file: FileHandle }> {
    const held = await sweep();
    if (held + byteCount > bytesMax) {
      const message = `Expected room for ${byteCount} bytes, ${held} of ${bytesMax} are taken.`;
      throw new ClipfleetError('SPOOL_FULL', message);
    }
    const random = randomBytes(32).toString('base64url');
    const name = `${Math.ceil(Date.now() + keptMs)}-${byteCount}-${random}`;
    return { name, file: await open(pathOf(name), 'wx', 0o600) };
  }

  await mkdir(folder, { recursive: true, mode: 0o700 })
    .then(sweep)
    .catch((cause: Error) => {
      const message = `Expected a folder for uploads at ${folder}, got: ${cause.message}. Name another with --spool.`;
      throw new ClipfleetError('USAGE', message);
    });
  const timer = setInterval(() => void sweep().catch(() => {}), SWEEP_MS).unref();

  return {
    async put(bytes, keptMs) {
      const { name, file } = await places.add(() => takePlace(bytes.length, keptMs));
      try {
        await file.writeFile(bytes);
      } catch (error) {
        await rm(pathOf(name), { force: true });
        throw error;
      } finally {
        await file.close();
      }
      return name;
    },
    async read(name) {
      if (!isUploadName(name) || expiresAt(name) <= Date.now()) return undefined;
      const file = await open(pathOf(name)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
      return file && { bytes: file.createReadStream(), byteCount: bytesOf(name) };
    },
    remove: (name) => rm(pathOf(name), { force: true }),
    close: () => clearInterval(timer),
  };
}

function expiresAt(name: string): number {
  return Number(name.split('-', 1)[0]);
}

function bytesOf(name: string): number {
  return Number(name.split('-', 2)[1]);
}
