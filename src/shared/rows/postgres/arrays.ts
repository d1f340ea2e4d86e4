/**
 * Arrays of one dimension in PostgreSQL's binary form, in which no number is written as a text and read again: number of dimensions,
 * whether there are nulls, the elements' type; size and lower bound; then each element behind its length, -1 for a null.
 * Source: `array_recv` in PostgreSQL's src/backend/utils/adt/arrayfuncs.c.
 */

/** Types by their OID, in PostgreSQL's src/include/catalog/pg_type.dat. */
const [INT4, TEXT, FLOAT4] = [23, 25, 700];

const HEAD_BYTES = 20;
const NULL_LENGTH = -1;

/** Whole numbers of 32 bits, or nulls. */
export function int4s(values: readonly (number | null)[]): Buffer {
  return fixedSize(values, INT4, (bytes, value, at) => bytes.writeInt32BE(value, at));
}

/** Numbers of 32 bits. */
export function float4s(values: readonly number[]): Buffer {
  return fixedSize(values, FLOAT4, (bytes, value, at) => bytes.writeFloatBE(value, at));
}

/** Texts without the character 0, which PostgreSQL does not take, or nulls. */
export function texts(values: readonly (string | null)[]): Buffer {
  let size = HEAD_BYTES;
  for (const value of values) size += 4 + (value === null ? 0 : Buffer.byteLength(value));
  const bytes = Buffer.allocUnsafe(size);
  let at = writeHead(bytes, values, TEXT);
  for (const value of values) {
    if (value === null) {
      at = bytes.writeInt32BE(NULL_LENGTH, at);
      continue;
    }
    const length = bytes.write(value, at + 4);
    bytes.writeInt32BE(length, at);
    at += 4 + length;
  }
  return bytes.subarray(0, at);
}

function fixedSize(
  values: readonly (number | null)[],
  type: number,
  write: (bytes: Buffer, value: number, at: number) => void,
): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + 8 * values.length);
  let at = writeHead(bytes, values, type);
  for (const value of values) {
    if (value === null) {
      at = bytes.writeInt32BE(NULL_LENGTH, at);
      continue;
    }
    at = bytes.writeInt32BE(4, at);
    write(bytes, value, at);
    at += 4;
  }
  return bytes.subarray(0, at);
}

/** Where the elements begin: an empty array has no dimension. */
function writeHead(bytes: Buffer, values: readonly unknown[], type: number): number {
  const isEmpty = values.length === 0;
  bytes.writeInt32BE(isEmpty ? 0 : 1, 0);
  bytes.writeInt32BE(values.includes(null) ? 1 : 0, 4);
  let at = bytes.writeInt32BE(type, 8);
  if (isEmpty) return at;
  at = bytes.writeInt32BE(values.length, at);
  return bytes.writeInt32BE(1, at);
}
