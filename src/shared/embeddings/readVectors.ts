import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ClipfleetError } from '../errors.ts';
import { decodeVector, frameAt, HEAD_BYTES, type KeptVector } from './vectorRecord.ts';
import { type VectorFileHead, vectorSuffix } from './vectorWriter.ts';

const READ_BYTES = 4 * 1024 * 1024;

export interface VectorFolderReader {
  /** Told of a file whose end is torn, and how many bytes are passed over there. */
  onTorn?: (file: string, bytes: number) => void;
}

/**
 * The vectors of a run, in groups, from all files of its folder. An image of which a job was delivered twice comes twice. The end of a file that its
 * process could not finish is passed over.
 *
 * @throws VECTORS_UNUSABLE where the folder is not there or holds vectors of another model
 */
export async function* readVectors(
  folder: string,
  fingerprint: string | undefined,
  { onTorn }: VectorFolderReader = {},
): AsyncGenerator<{ fingerprint: string; dimensions: number; vectors: KeptVector[] }> {
  const names = await readdir(folder).catch((cause: Error) => {
    throw unusable(`Expected the vectors of the run in ${folder}, got: ${cause.message}`, cause);
  });
  for (const name of names.filter((each) => each.endsWith(vectorSuffix)).sort()) {
    const path = join(folder, name);
    let head: VectorFileHead | undefined;
    for await (const payloads of framesOf(path, onTorn)) {
      const first = head === undefined ? payloads.shift() : undefined;
      head ??= first && headOf(first, path, fingerprint);
      if (head === undefined) break;
      const { dimensions } = head;
      const vectors = payloads.map((payload) => decodeVector(payload, dimensions));
      yield { fingerprint: head.fingerprint, dimensions, vectors };
    }
  }
}

function headOf(payload: Buffer, path: string, fingerprint: string | undefined): VectorFileHead {
  const head = JSON.parse(payload.toString()) as VectorFileHead;
  if (head.v !== 1)
    throw unusable(`Expected version 1 of a file of vectors, got ${head.v} in ${path}: upgrade.`);
  if (fingerprint === undefined || head.fingerprint === fingerprint) return head;
  throw unusable(
    `Expected vectors of the model ${fingerprint.slice(0, 12)}, got those of ${head.fingerprint.slice(0, 12)} in ${path}: give the model that the run was labeled with.`,
  );
}

/** The whole frames of a file, those together that were read together. */
async function* framesOf(path: string, onTorn: VectorFolderReader['onTorn']): AsyncGenerator<Buffer[]> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of createReadStream(path, { highWaterMark: READ_BYTES })) {
    rest = Buffer.concat([rest, piece as Buffer]);
    const frames: Buffer[] = [];
    let at = 0;
    let frame = frameAt(rest, at);
    while (frame instanceof Buffer) {
      frames.push(frame);
      at += HEAD_BYTES + frame.length;
      frame = frameAt(rest, at);
    }
    if (frames.length > 0) yield frames;
    rest = rest.subarray(at);
    if (frame === undefined) break;
  }
  if (rest.length > 0) onTorn?.(path, rest.length);
}

function unusable(message: string, cause?: unknown): ClipfleetError {
  return new ClipfleetError('VECTORS_UNUSABLE', message, { cause });
}
