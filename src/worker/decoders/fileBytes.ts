import { readSync } from 'node:fs';
import { ClipfleetError } from '../../shared/errors.ts';
import { shown } from '../../shared/refs/shownUri.ts';
import type { ByteRange } from '../../shared/refs/tarUri.ts';
import { wholeRange } from '../../shared/refs/wholeRange.ts';

/**
 * To the size that the file had when it was opened, or to its end where that is 0, as some file systems say of all files, or wrong.
 *
 * Throws IMAGE_TOO_LARGE.
 */
export function readWhole(file: number, size: number, uri: string, bytesMax: number): Uint8Array {
  if (size > bytesMax) throw tooLarge(uri, size, bytesMax);
  let buffer = Buffer.allocUnsafeSlow(size + 1);
  let length = 0;
  while (true) {
    const bytesRead = readSync(file, buffer, length, buffer.length - length, length);
    length += bytesRead;
    if (bytesRead === 0 || length === size) return buffer.subarray(0, length);
    if (length > bytesMax) throw tooLarge(uri, length, bytesMax);
    if (length === buffer.length) {
      buffer = Buffer.concat([buffer], Math.min(2 * length + 4096, bytesMax + 1));
    }
  }
}

/** Throws IMAGE_CORRUPT when the file ends before the range does. */
export function readPart(file: number, range: ByteRange): Uint8Array {
  const buffer = Buffer.allocUnsafeSlow(range.length);
  let length = 0;
  while (length < range.length) {
    const bytesRead = readSync(file, buffer, length, range.length - length, range.offset + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return wholeRange({ bytes: buffer.subarray(0, length), size: range.offset + length }, range);
}

function tooLarge(uri: string, byteCount: number, bytesMax: number): ClipfleetError {
  return new ClipfleetError(
    'IMAGE_TOO_LARGE',
    `Expected at most ${bytesMax} bytes in ${shown(uri)}, got ${byteCount} or more; allow more bytes.`,
  );
}
