import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { encodeVector, framed, type KeptVector } from './vectorRecord.ts';

/** What all vectors of a file have in common: its first record. */
export interface VectorFileHead {
  v: 1;
  run: string;
  /** The run's mark: another run of the id may have had the folder before. Empty where nobody gave one. */
  birth: string;
  /** Of the model that made them. */
  fingerprint: string;
  dimensions: number;
}

/** Files of a sensible size: half a million vectors of 512 numbers. */
const FILE_BYTES = 512 * 1024 * 1024;

export const vectorSuffix = '.vectors';

/** Keeps vectors of one run, from this process, in a folder that others write to as well. */
export interface VectorWriter {
  /** Resolves when the vectors are on disk. What comes while a write is under way goes together with the next. */
  keep(vectors: readonly KeptVector[]): Promise<void>;
  close(): Promise<void>;
}

interface Waiting {
  bytes: Buffer;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * Appends to a file of its own, so that several machines need no agreement. A process that is killed leaves at most a torn end; nobody
 * writes behind it, because the next process begins a new file. After an error this one does so too.
 */
export function createVectorWriter(
  folder: string,
  head: VectorFileHead,
  fileBytes = FILE_BYTES,
): VectorWriter {
  let waiting: Waiting[] = [];
  let writing: Promise<void> | undefined;
  let file: { handle: FileHandle; bytes: number } | undefined;

  async function openFile(): Promise<{ handle: FileHandle; bytes: number }> {
    await mkdir(folder, { recursive: true });
    const name = `${hostname()}-${process.pid}-${randomUUID()}${vectorSuffix}`;
    const handle = await open(join(folder, name), 'wx');
    const first = framed(Buffer.from(JSON.stringify(head)));
    await writeAll(handle, first);
    await handle.datasync();
    // The name is as durable as what it names.
    const directory = await open(folder);
    await directory.sync().finally(() => directory.close());
    return { handle, bytes: first.length };
  }

  async function closeFile(): Promise<void> {
    const closing = file;
    file = undefined;
    await closing?.handle.close();
  }

  async function write(bytes: Buffer): Promise<void> {
    try {
      if (file && file.bytes >= fileBytes) await closeFile();
      file ??= await openFile();
      await writeAll(file.handle, bytes);
      await file.handle.datasync();
      file.bytes += bytes.length;
    } catch (error) {
      await closeFile().catch(() => {});
      throw error;
    }
  }

  async function writeWaiting(): Promise<void> {
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      try {
        await write(Buffer.concat(group.map(({ bytes }) => bytes)));
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    writing = undefined;
  }

  return {
    keep(vectors) {
      if (vectors.length === 0) return Promise.resolve();
      return new Promise((resolve, reject) => {
        waiting.push({ bytes: Buffer.concat(vectors.map(encodeVector)), resolve, reject });
        writing ??= writeWaiting();
      });
    },
    async close() {
      await writing;
      await closeFile();
    },
  };
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let from = 0; from < bytes.length; ) from += (await file.write(bytes, from)).bytesWritten;
}
