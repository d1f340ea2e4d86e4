import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import { fromHalf } from '../../shared/embeddings/half.ts';
import { headOfFile } from '../../shared/embeddings/readVectors.ts';
import { vectorFolderOf, type WritePlaces } from '../../shared/embeddings/vectorFolder.ts';
import { decodeVector, frameAt } from '../../shared/embeddings/vectorRecord.ts';
import { parseVectorUri } from '../../shared/embeddings/vectorUri.ts';
import type { VectorFileHead } from '../../shared/embeddings/vectorWriter.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import type { VectorSource } from '../../shared/runs/run.ts';

/** Files that are open at the same time. */
const OPEN_FILES_MAX = 100;

/** The longest record: an id, a uri and a vector. */
const RECORD_BYTES_MAX = 1024 * 1024;

/** Reads vectors that an earlier run has kept. */
export interface ReadKept {
  /** Whether the vectors are within this worker's reach. */
  canRead(source: VectorSource): boolean;
  /** The vector that a uri names, and the uri of the image it is of. @throws VECTOR_UNREADABLE */
  read(source: VectorSource, uri: string): Promise<{ uri: string; embedding: Float32Array }>;
  close(): Promise<void>;
}

async function openFile(path: string) {
  const handle = await open(path);
  try {
    return { handle, head: await headOfFile(handle, path) };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

type OpenFile = Awaited<ReturnType<typeof openFile>>;

/** @param fingerprint of the model whose vectors are read, and no others */
export function createReadKept(places: WritePlaces, fingerprint: string): ReadKept {
  const files = new LRUCache<string, Promise<OpenFile>>({
    max: OPEN_FILES_MAX,
    dispose: (file) => void file.then(({ handle }) => handle.close()).catch(() => {}),
  });
  const folderOf = ({ run, embeddings }: VectorSource) => vectorFolderOf(run, embeddings, places);

  function fileOf(path: string): Promise<OpenFile> {
    const file = files.get(path) ?? openFile(path);
    files.set(path, file);
    // A share that is not there yet may be there for the next attempt.
    file.catch(() => files.peek(path) === file && files.delete(path));
    return file;
  }

  function check({ birth = '' }: VectorSource, head: VectorFileHead, path: string): void {
    if (head.birth !== birth) throw new Error(`${path} is of another run`);
    if (head.fingerprint !== fingerprint)
      throw new Error(
        `${path} is of the model files ${head.fingerprint.slice(0, 12)}, this worker's are ${fingerprint.slice(0, 12)}`,
      );
  }

  async function read(source: VectorSource, uri: string) {
    const bytes = parseVectorUri(uri);
    const folder = folderOf(source);
    if (!bytes || folder === undefined || bytes.to - bytes.from > RECORD_BYTES_MAX)
      throw new Error('the uri names no vector within reach');
    const path = join(folder, bytes.file);
    const { handle, head } = await fileOf(path);
    check(source, head, path);
    const record = Buffer.alloc(Math.max(0, bytes.to - bytes.from));
    await handle.read(record, 0, record.length, bytes.from);
    const payload = frameAt(record, 0);
    if (!(payload instanceof Buffer)) throw new Error(`${path} is torn at ${bytes.from}`);
    const vector = decodeVector(payload, head.dimensions);
    const embedding = fromHalf(new Uint16Array(Uint8Array.from(vector.half).buffer));
    return { uri: vector.uri, embedding };
  }

  return {
    canRead: (source) => folderOf(source) !== undefined,
    read: (source, uri) =>
      read(source, uri).catch((cause: Error) => {
        const message = `Expected the vector of the image in ${uri.slice(0, 200)}, got: ${cause.message}.`;
        throw new ClipfleetError('VECTOR_UNREADABLE', message, { cause });
      }),
    async close() {
      const open = await Promise.allSettled(files.values());
      for (const file of open) if (file.status === 'fulfilled') await file.value.handle.close();
    },
  };
}
