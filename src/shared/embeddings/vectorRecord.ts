import { crc32 } from 'node:zlib';
import type { RowPlace } from '../rows/row.ts';
import { RowReader, RowWriter } from '../rows/rowBytes.ts';

/** The vector of one image, as it is kept for other label sets. */
export interface KeptVector {
  id: string;
  uri: string;
  /** Retry generation of the row that the vector belongs to. */
  generation: number;
  /** Where the image stood in its run. */
  place: RowPlace;
  /** Unit embedding, as IEEE 754 half precision, little-endian. */
  half: Uint8Array;
}

/** Length of what follows, and its CRC-32, both big-endian. */
export const HEAD_BYTES = 8;

/** Longer than any record: an id, a uri and a vector of 16,384 numbers. A length above it is no length. */
const RECORD_BYTES_MAX = 1024 * 1024;

/** A record: length and CRC-32 of the rest, then generation, chunk, index, id, uri (empty where it is the id) and the vector. */
export function encodeVector({ id, uri, generation, place, half }: KeptVector): Buffer {
  const writer = new RowWriter();
  writer.varint(generation);
  writer.varint(place.chunk);
  writer.varint(place.index);
  writer.text(id);
  writer.text(uri === id ? '' : uri);
  return framed(Buffer.concat([writer.copy(), half]));
}

/** A payload with its length and CRC-32 in front. */
export function framed(payload: Buffer): Buffer {
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  head.writeUInt32BE(payload.length, 0);
  head.writeUInt32BE(crc32(payload), 4);
  return Buffer.concat([head, payload]);
}

/**
 * The payload of the frame that begins at a place; `more` where the bytes end before it does, undefined where it is none: cut off,
 * or of another CRC-32.
 */
export function frameAt(bytes: Buffer, at: number): Buffer | 'more' | undefined {
  if (at + HEAD_BYTES > bytes.length) return 'more';
  const length = bytes.readUInt32BE(at);
  if (length === 0 || length > RECORD_BYTES_MAX) return undefined;
  const end = at + HEAD_BYTES + length;
  if (end > bytes.length) return 'more';
  const payload = bytes.subarray(at + HEAD_BYTES, end);
  return crc32(payload) === bytes.readUInt32BE(at + 4) ? payload : undefined;
}

/** @param dimensions numbers of the vector, which stands last */
export function decodeVector(payload: Buffer, dimensions: number): KeptVector {
  const reader = new RowReader(payload);
  const generation = reader.varint();
  const place = { chunk: reader.varint(), index: reader.varint() };
  const id = reader.text();
  const uri = reader.text() || id;
  return { id, uri, generation, place, half: payload.subarray(payload.length - 2 * dimensions) };
}
