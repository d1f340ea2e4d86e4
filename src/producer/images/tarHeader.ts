import { nameOfBytes, shownName } from '../../shared/refs/byteNames.ts';

/** What is known of an entry of a tar archive. */
export interface TarHeader {
  name: string;
  size: number;
  /** `longName` and `pax` say something of the entry behind them; `other` is a folder, a link, a device or a sparse file. */
  kind: 'file' | 'longName' | 'pax' | 'other';
}

export const TAR_BLOCK = 512;

const kinds: Record<string, TarHeader['kind']> = {
  '\0': 'file',
  '0': 'file',
  '7': 'file',
  L: 'longName',
  x: 'pax',
};

/**
 * Reads a header block of any of tar's formats (v7, ustar, GNU, PAX). Undefined for the block of zeros that ends an archive.
 *
 * Throws an Error for a block that is no header.
 */
export function parseTarHeader(block: Uint8Array): TarHeader | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  const field = (from: number, length: number) => block.subarray(from, from + length);
  if (numberIn(field(148, 8)) !== checksum(block)) throw new Error('a block whose checksum is wrong');
  const isUstar = textIn(field(257, 6)) === 'ustar';
  // GNU's own format has other things where POSIX has the beginning of a long path.
  const isPosix = isUstar && block[263] === 0x30;
  const prefix = isPosix ? textIn(field(345, 155)) : '';
  const name = textIn(field(0, 100));
  const type = String.fromCharCode(block[156]!);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    size: numberIn(field(124, 12)),
    // Before ustar a folder was known by the end of its name.
    kind: name.endsWith('/') && type !== 'L' && type !== 'x' ? 'other' : (kinds[type] ?? 'other'),
  };
}

/** The records of a PAX header, `LENGTH KEY=VALUE\n` each. Throws an Error for what is none. */
export function parsePaxRecords(bytes: Uint8Array): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const length = Number(textIn(bytes.subarray(at, Math.max(at, space))));
    const record = bytes.subarray(space + 1, at + length - 1);
    const equals = record.indexOf(0x3d);
    if (!Number.isInteger(length) || length < 5 || at + length > bytes.length || equals < 1)
      throw new Error('a broken PAX header');
    records.set(textIn(record.subarray(0, equals)), shownName(nameOfBytes(record.subarray(equals + 1))));
    at += length;
  }
  return records;
}

/** Text up to its first zero byte; bytes that are no UTF-8 as `\\xE9`. */
export function textIn(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return shownName(nameOfBytes(end < 0 ? bytes : bytes.subarray(0, end)));
}

/** Octal digits, or, of what does not fit into them, GNU's big-endian bytes behind a set bit. */
function numberIn(bytes: Uint8Array): number {
  if ((bytes[0]! & 0x80) === 0) {
    const digits = textIn(bytes).trim();
    if (!/^[0-7]*$/.test(digits)) throw new Error('a header whose numbers are none');
    return Number.parseInt(digits || '0', 8);
  }
  let value = bytes[0]! & 0x7f;
  for (const byte of bytes.subarray(1)) value = value * 256 + byte;
  if (!Number.isSafeInteger(value)) throw new Error('a header whose numbers are too large');
  return value;
}

/** The sum of all bytes, with its own field taken as spaces. */
function checksum(block: Uint8Array): number {
  let sum = 8 * 0x20;
  for (let i = 0; i < TAR_BLOCK; i++) if (i < 148 || i >= 156) sum += block[i]!;
  return sum;
}
