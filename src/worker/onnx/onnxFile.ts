import { open } from 'node:fs/promises';
import { type FieldPlace, fieldAt } from './onnxProto.ts';

/** A field of a message in a file: where it begins, its key included, and the rest as bytes from the file's beginning. */
export interface FileField extends FieldPlace {
  start: number;
}

/** An ONNX file that is read by pieces, so that a graph of 2 GB needs no 2 GB of memory. */
export interface OnnxFile {
  /** The fields of a message, in their order. @throws RangeError where the bytes are no message */
  fields(from: number, to: number): Promise<FileField[]>;
  bytes(from: number, to: number): Promise<Uint8Array>;
  size: number;
}

/** Keys and lengths take at most 10 bytes each; fields are mostly small, so that one read serves many. */
const WINDOW_BYTES = 64 * 1024;
const HEADER_BYTES_MAX = 20;

/** Opens an ONNX file for as long as `use` takes. @throws what opening and reading throw */
export async function withOnnxFile<T>(path: string, use: (file: OnnxFile) => Promise<T>): Promise<T> {
  const handle = await open(path);
  try {
    const { size } = await handle.stat();
    const bytes = async (from: number, to: number): Promise<Uint8Array> => {
      const piece = new Uint8Array(to - from);
      const { bytesRead } = await handle.read(piece, 0, piece.length, from);
      if (bytesRead < piece.length) throw new RangeError('the file ends inside a field');
      return piece;
    };
    return await use({ size, bytes, fields: (from, to) => fieldsOfRange(bytes, from, to) });
  } finally {
    await handle.close();
  }
}

async function fieldsOfRange(bytes: OnnxFile['bytes'], from: number, to: number): Promise<FileField[]> {
  const fields: FileField[] = [];
  let window = new Uint8Array();
  let windowStart = from;
  for (let at = from; at < to; ) {
    if (at < windowStart || Math.min(at + HEADER_BYTES_MAX, to) > windowStart + window.length) {
      window = Uint8Array.from(await bytes(at, Math.min(at + WINDOW_BYTES, to)));
      windowStart = at;
    }
    const place = fieldAt(window, at - windowStart);
    const [content, end] = [windowStart + place.content, windowStart + place.end];
    if (end > to) throw new RangeError('the message ends inside a field');
    fields.push({ ...place, start: at, content, end });
    at = end;
  }
  return fields;
}
