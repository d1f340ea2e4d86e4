import { closeSync, fstatSync, futimesSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/** Where vectors are cached, and whose. */
export interface VectorCachePlace {
  folder: string;
  /** What made them: vectors of another model, or of files read in another way, lie beside them and are not mixed up. */
  maker: string;
}

const CRC_BYTES = 4;
const FLOAT_BYTES = 4;

/** When a vector was last used is noted at most as often: a write for each read would be most of the work. */
export const NOTED_EVERY_MS = 3_600_000;

/** The folder of a file's vector: one of 256, so that none has too many. */
export const shardOf = (digest: string): string =>
  Buffer.from(digest, 'base64')[0]!.toString(16).padStart(2, '0');

/** @param digest SHA-256 of the image file, base64 */
export function vectorPath({ folder, maker }: VectorCachePlace, digest: string): string {
  return join(folder, shardOf(digest), `${Buffer.from(digest, 'base64').toString('base64url')}.${maker}`);
}

/** The numbers as little-endian 32-bit floats, so that a cached vector gives the very scores of a new one; then their CRC-32. */
export function encodeCached(vector: Float32Array): Buffer {
  const numbers = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
  const end = Buffer.allocUnsafe(CRC_BYTES);
  end.writeUInt32LE(crc32(numbers));
  return Buffer.concat([numbers, end]);
}

/** The floats of a file's vector, little-endian; undefined where there is none, or a torn one. */
export function readCached(place: VectorCachePlace, digest: string): Buffer | undefined {
  let file: number;
  try {
    file = openSync(vectorPath(place, digest), 'r+');
  } catch {
    return undefined;
  }
  try {
    const bytes = readFileSync(file);
    const numbers = bytes.subarray(0, -CRC_BYTES);
    if (numbers.length === 0 || numbers.length % FLOAT_BYTES !== 0) return undefined;
    if (crc32(numbers) !== bytes.readUInt32LE(numbers.length)) return undefined;
    const now = Date.now();
    if (now - fstatSync(file).mtimeMs > NOTED_EVERY_MS) futimesSync(file, now / 1_000, now / 1_000);
    return numbers;
  } catch {
    return undefined;
  } finally {
    closeSync(file);
  }
}
