import { ClipfleetError } from '../errors.ts';
import type { ByteRange } from './tarUri.ts';

/** Bytes of a range, fewer where the whole ends in it, and the size of the whole. */
export interface RangeRead {
  bytes: Uint8Array;
  size: number;
}

/** The whole range. Throws IMAGE_CORRUPT when the archive ends before the member does. */
export function wholeRange({ bytes, size }: RangeRead, { offset, length }: ByteRange): Uint8Array {
  if (bytes.length === length) return bytes;
  throw new ClipfleetError(
    'IMAGE_CORRUPT',
    `Expected a member of ${length} bytes at offset ${offset}, but the archive ends at ${size}: it breaks off or was changed.`,
  );
}
