import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClipfleetError } from '../../shared/errors.ts';
import { type CountEvent, countNothing } from '../../shared/telemetry/countedEvents.ts';
import { encodeCached, NOTED_EVERY_MS, shardOf, type VectorCachePlace, vectorPath } from './cachedVector.ts';

/** Embeddings of image files that outlive the process, for all workers of a machine. Decoders look them up; this side keeps them. */
export interface VectorCache {
  place: VectorCachePlace;
  /** The embedding from what a decoder found. */
  recall(found: Uint8Array): Float32Array;
  /** Keeps an embedding, beside the work. One that cannot be written is told of and left out. */
  keep(digest: string, embedding: Float32Array): void;
  /** Resolves when all is written. */
  close(): Promise<void>;
}

export interface VectorCacheOptions {
  folder: string;
  /** Most bytes of disk that all vectors take together, whatever model they are of. */
  bytesMax: number;
  /** The model's fingerprint and whatever else decides about vectors. */
  madeBy: readonly string[];
  onFailed: (error: Error) => void;
  countEvent?: CountEvent | undefined;
}

const SHARDS = 256;
/** A file takes whole blocks of the disk. */
const BLOCK_BYTES = 4_096;
/** A shard that is too large is cut to this, so that it is not cut at each new vector. */
const CUT_TO = 0.9;
/** Of its bound, what this process adds to a shard before it looks what others have added. */
const LOOK_AFTER = 1 / 16;

/**
 * Keeps vectors in files named by the SHA-256 of the image. They lie in 256 folders, and each folder has its part of the bound: where it
 * is too large, the vectors that were used least recently go. So a process needs no index, and several need no agreement.
 *
 * @throws USAGE, where the folder cannot be made
 */
export function openVectorCache(options: VectorCacheOptions): VectorCache {
  const { folder, bytesMax, madeBy, onFailed, countEvent = countNothing } = options;
  const maker = createHash('sha256').update(JSON.stringify(madeBy)).digest('hex').slice(0, 16);
  const place = { folder, maker };
  const shardMax = bytesMax / SHARDS;
  /** Bytes of each shard as this process knows it, and what it has added since it looked. */
  const shards = new Map<string, { bytes: number; added: number }>();
  const trimming = new Map<string, Promise<void>>();
  const writing = new Set<Promise<void>>();
  makeFolder(folder);

  async function write(digest: string, embedding: Float32Array): Promise<void> {
    const path = vectorPath(place, digest);
    const shard = shardOf(digest);
    const bytes = encodeCached(embedding);
    await mkdir(join(folder, shard), { recursive: true });
    const half = `${path}.${randomUUID()}${unfinished}`;
    try {
      await writeFile(half, bytes);
      await rename(half, path);
    } catch (error) {
      await rm(half, { force: true });
      throw error;
    }
    await grown(shard, diskBytes(bytes.length));
  }

  async function grown(shard: string, by: number): Promise<void> {
    const known = shards.get(shard);
    if (known) {
      known.bytes += by;
      known.added += by;
      if (known.bytes <= shardMax && known.added <= shardMax * LOOK_AFTER) return;
    }
    const trim = trimming.get(shard) ?? trimShard(shard).finally(() => trimming.delete(shard));
    trimming.set(shard, trim);
    await trim;
  }

  async function trimShard(shard: string): Promise<void> {
    const bytes = await cutTo(join(folder, shard), shardMax);
    shards.set(shard, { bytes, added: 0 });
  }

  return {
    place,
    recall(found) {
      countEvent('embedding_cache_dir_requests', 'hit');
      return new Float32Array(Uint8Array.from(found).buffer);
    },
    keep(digest, embedding) {
      countEvent('embedding_cache_dir_requests', 'miss');
      const own = write(digest, embedding)
        .catch(onFailed)
        .finally(() => writing.delete(own));
      writing.add(own);
    },
    close: async () => void (await Promise.all(writing)),
  };
}

/** The end of the name of a file that is being written. */
const unfinished = '.part';

const diskBytes = (length: number) => Math.ceil(length / BLOCK_BYTES) * BLOCK_BYTES;

/** Removes what was used least recently until the folder's files take at most so many bytes; resolves to what they take. */
async function cutTo(folder: string, bytesMax: number): Promise<number> {
  const now = Date.now();
  const files: { path: string; bytes: number; usedAt: number }[] = [];
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    // Another process has removed it.
    if (!found) continue;
    if (name.endsWith(unfinished)) {
      // Its process was killed.
      if (now - found.mtimeMs > NOTED_EVERY_MS) await rm(path, { force: true });
      continue;
    }
    files.push({ path, bytes: diskBytes(found.size), usedAt: found.mtimeMs });
  }
  let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  if (bytes <= bytesMax) return bytes;
  files.sort((a, b) => a.usedAt - b.usedAt);
  for (const file of files) {
    if (bytes <= bytesMax * CUT_TO) break;
    await rm(file.path, { force: true });
    bytes -= file.bytes;
  }
  return bytes;
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const message = `Expected a folder for --embedding-cache-dir that can be written, got ${code} for ${JSON.stringify(folder)}: name another, or leave it out.`;
    throw new ClipfleetError('USAGE', message, { cause });
  }
}
