import { createReadStream } from 'node:fs';
import { type FileHandle, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ClipfleetError } from '../errors.ts';
import { decodeVector, frameAt, HEAD_BYTES, type KeptVector } from './vectorRecord.ts';
import { type VectorFileHead, vectorSuffix } from './vectorWriter.ts';

const READ_BYTES = 4 * 1024 * 1024;

/** Room for the first record of a file. */
const HEAD_RECORD_BYTES = 4096;

export interface VectorFolderReader {
  /** Told of a file whose end is torn, and how many bytes are passed over there. */
  onTorn?: (file: string, bytes: number) => void;
}

/** The vectors of a run: where they are, and what they must be of. */
export interface VectorFolder {
  folder: string;
  birth: string | undefined;
  /** Of the model; any when undefined. */
  fingerprint?: string | undefined;
}

/** Vectors that lie together in a file. */
export interface VectorGroup {
  file: string;
  dimensions: number;
  vectors: (KeptVector & PlaceInFile)[];
}

/** The bytes of a vector's record in its file; its numbers stand last. */
export interface PlaceInFile {
  from: number;
  to: number;
}

/**
 * The vectors of a run, in groups, from all files of its folder. An image of which a job was delivered twice comes twice. The end of a file that its
 * process could not finish is passed over, and so are files of an earlier run of the same id.
 *
 * @throws VECTORS_UNUSABLE where the folder is not there or holds vectors of another model
 */
export async function* readVectors(
  { folder, birth = '', fingerprint }: VectorFolder,
  { onTorn }: VectorFolderReader = {},
): AsyncGenerator<VectorGroup> {
  const names = await readdir(folder).catch((cause: Error) => {
    throw unusable(`Expected the vectors of the run in ${folder}, got: ${cause.message}`, cause);
  });
  for (const name of names.filter((each) => each.endsWith(vectorSuffix)).sort()) {
    const path = join(folder, name);
    let head: VectorFileHead | undefined;
    for await (const frames of framesOf(path, onTorn)) {
      const first = head === undefined ? frames.shift() : undefined;
      head ??= first && headOf(first.payload, path);
      if (head === undefined || head.birth !== birth) break;
      if (fingerprint !== undefined && head.fingerprint !== fingerprint)
        throw otherModel(path, head.fingerprint, fingerprint);
      const { dimensions } = head;
      const vectors = frames.map(({ payload, from, to }) => ({
        ...decodeVector(payload, dimensions),
        from,
        to,
      }));
      yield { file: name, dimensions, vectors };
    }
  }
}

/** What a file of vectors says of all of them. @throws VECTORS_UNUSABLE */
export async function headOfFile(file: FileHandle, path: string): Promise<VectorFileHead> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_RECORD_BYTES), 0, HEAD_RECORD_BYTES, 0);
  const first = frameAt(buffer.subarray(0, bytesRead), 0);
  if (first instanceof Buffer) return headOf(first, path);
  throw unusable(`Expected a file of vectors, got another or a torn one in ${path}.`);
}

function headOf(payload: Buffer, path: string): VectorFileHead {
  const head = JSON.parse(payload.toString()) as VectorFileHead;
  if (head.v === 1) return head;
  throw unusable(`Expected version 1 of a file of vectors, got ${head.v} in ${path}: upgrade.`);
}

function otherModel(path: string, got: string, expected: string): ClipfleetError {
  return unusable(
    `Expected vectors of the model ${expected.slice(0, 12)}, got those of ${got.slice(0, 12)} in ${path}: give the model that the run was labeled with.`,
  );
}

/** What a frame holds, and where it is in its file. */
interface Frame extends PlaceInFile {
  payload: Buffer;
}

/** The whole frames of a file, those together that were read together. */
async function* framesOf(path: string, onTorn: VectorFolderReader['onTorn']): AsyncGenerator<Frame[]> {
  let restAt = 0;
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of createReadStream(path, { highWaterMark: READ_BYTES })) {
    rest = Buffer.concat([rest, piece as Buffer]);
    const frames: Frame[] = [];
    let at = 0;
    let frame = frameAt(rest, at);
    while (frame instanceof Buffer) {
      const from = restAt + at;
      at += HEAD_BYTES + frame.length;
      frames.push({ payload: frame, from, to: restAt + at });
      frame = frameAt(rest, at);
    }
    if (frames.length > 0) yield frames;
    rest = rest.subarray(at);
    restAt += at;
    if (frame === undefined) break;
  }
  if (rest.length > 0) onTorn?.(path, rest.length);
}

function unusable(message: string, cause?: unknown): ClipfleetError {
  return new ClipfleetError('VECTORS_UNUSABLE', message, { cause });
}
