import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ClipfleetError } from '../../shared/errors.ts';
import { replaceFile } from '../../shared/files/replaceFile.ts';
import { jsonIn } from '../../shared/jsonIn.ts';
import { bytesBelow, removeStale } from './folderBytes.ts';

/** A file as OpenAI's clients read it. */
export interface FileObject {
  id: string;
  object: 'file';
  bytes: number;
  /** Seconds since 1970, as all its times. */
  created_at: number;
  expires_at: number;
  filename: string;
  purpose: 'batch' | 'batch_output';
  status: 'processed';
}

export interface FileStoreOptions {
  /** Made where it is not there. Several gateways that are one share it. */
  folder: string;
  /** Most bytes in it, of all files together. */
  bytesMax: number;
  /** Most bytes of one file. */
  fileBytesMax: number;
  /** How long a file stays that names no time of its own. */
  keptMs: number;
}

export interface FileStore {
  /** Folder for what is under way, in the same file system. */
  readonly folder: string;
  /** Resolves to the bytes in the folder, when there is room for more. @throws FILES_FULL */
  room(): Promise<number>;
  /**
   * Writes the bytes under an id. Nobody sees them before `keep`. Resolves to their number.
   *
   * @throws REQUEST_TOO_LARGE, FILES_FULL
   */
  write(id: string, bytes: AsyncIterable<Uint8Array>): Promise<number>;
  /** Makes a file of what was written. Its expiry is that of the store where `keptS` is absent. */
  keep(
    file: Pick<FileObject, 'id' | 'bytes' | 'filename' | 'purpose'> & { keptS?: number | undefined },
  ): Promise<FileObject>;
  /** @throws FILE_UNKNOWN */
  get(id: string): Promise<FileObject>;
  /** The bytes, from the first. @throws FILE_UNKNOWN */
  read(id: string): Promise<Readable>;
  /** All files, the newest first. */
  list(): Promise<FileObject[]>;
  /** @throws FILE_UNKNOWN */
  remove(id: string): Promise<void>;
  /** Removes what has expired, and what killed gateways left. */
  sweep(): Promise<void>;
}

const idForm = /^file-[0-9a-f]{24}$/;

/** Files of a folder: `ID.jsonl` beside `ID.json`, which says what it is, and without which there is no file. */
export function createFileStore({ folder, bytesMax, fileBytesMax, keptMs }: FileStoreOptions): FileStore {
  const contentOf = (id: string) => join(folder, `${id}.jsonl`);
  const aboutOf = (id: string) => join(folder, `${id}.json`);

  async function find(id: string): Promise<FileObject | undefined> {
    if (!idForm.test(id)) return undefined;
    const text = await readFile(aboutOf(id), 'utf8').catch(unlessMissing);
    const file = jsonIn(text) as FileObject | undefined;
    return file && file.expires_at > Date.now() / 1_000 ? file : undefined;
  }

  async function get(id: string): Promise<FileObject> {
    const file = await find(id);
    if (file) return file;
    const message = `Expected the id of a file of this gateway, got ${JSON.stringify(id.slice(0, 100))}.`;
    throw new ClipfleetError('FILE_UNKNOWN', message);
  }

  async function erase(id: string): Promise<void> {
    // What it says goes first: a file without content is none.
    await rm(aboutOf(id), { force: true });
    await rm(contentOf(id), { force: true });
  }

  async function* bounded(bytes: AsyncIterable<Uint8Array>, used: number): AsyncGenerator<Uint8Array> {
    let written = 0;
    for await (const piece of bytes) {
      written += piece.length;
      if (written > fileBytesMax) {
        const message = `Expected a file of at most ${fileBytesMax} bytes, got more.`;
        throw new ClipfleetError('REQUEST_TOO_LARGE', message);
      }
      if (used + written > bytesMax) throw full(bytesMax);
      yield piece;
    }
  }

  async function sweep(): Promise<void> {
    const now = Date.now();
    for (const name of await readdir(folder).catch(unlessMissing)) {
      const id = /^(file-[0-9a-f]{24})\.json$/.exec(name)?.[1];
      if (id !== undefined && (await find(id)) === undefined) await erase(id);
    }
    await removeStale(folder, now, (name) => idForm.test(name.replace(/\.jsonl$/, '')));
  }

  async function room(): Promise<number> {
    const used = await bytesBelow(folder);
    if (used < bytesMax) return used;
    await sweep();
    const left = await bytesBelow(folder);
    if (left < bytesMax) return left;
    throw full(bytesMax);
  }

  return {
    folder,
    get,
    sweep,

    room,

    async write(id, bytes) {
      const used = await room();
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await replaceFile(contentOf(id), (part) =>
          pipeline(Readable.from(bounded(bytes, used)), createWriteStream(part, { mode: 0o600 })),
        );
        return (await stat(contentOf(id))).size;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw full(bytesMax);
        throw error;
      }
    },

    async keep({ id, bytes, filename, purpose, keptS = keptMs / 1_000 }) {
      const created_at = Math.floor(Date.now() / 1_000);
      const expires_at = created_at + Math.ceil(keptS);
      const times = { created_at, expires_at };
      const file = { id, object: 'file', bytes, ...times, filename, purpose, status: 'processed' } as const;
      await replaceFile(aboutOf(id), (part) =>
        pipeline([JSON.stringify(file)], createWriteStream(part, { mode: 0o600 })),
      );
      return file;
    },

    async read(id) {
      await get(id);
      return createReadStream(contentOf(id));
    },

    async list() {
      const files: FileObject[] = [];
      for (const name of await readdir(folder).catch(unlessMissing)) {
        const file = name.endsWith('.json') ? await find(name.slice(0, -'.json'.length)) : undefined;
        if (file) files.push(file);
      }
      return files.sort((a, b) => b.created_at - a.created_at || (a.id < b.id ? -1 : 1));
    },

    async remove(id) {
      await get(id);
      await erase(id);
    },
  };
}

function unlessMissing(error: NodeJS.ErrnoException): never[] & string {
  if (error.code === 'ENOENT') return [] as never[] & string;
  throw error;
}

function full(bytesMax: number): ClipfleetError {
  const message = `Expected room below ${bytesMax} bytes of files, there is none: delete files that nobody needs.`;
  return new ClipfleetError('FILES_FULL', message);
}
