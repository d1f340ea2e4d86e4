import { ClipfleetError } from '../errors.ts';

/** The bytes from `offset`, `length` of them. */
export interface ByteRange {
  offset: number;
  length: number;
}

/**
 * The uri of an archive's member: `tar:OFFSET+LENGTH:URI`. The place of its content in bytes, and where the archive is: any
 * uri of an image but `data:` and another `tar:`.
 */
export function formatTarUri({ offset, length }: ByteRange, archive: string): string {
  return `tar:${offset}+${length}:${archive}`;
}

/** Throws IMAGE_URI_INVALID. */
export function parseTarUri(uri: string): { range: ByteRange; archive: string } {
  const match = /^tar:(\d{1,16})\+(\d{1,16}):(.+)$/is.exec(uri);
  const range = { offset: Number(match?.[1]), length: Number(match?.[2]) };
  if (match && Number.isSafeInteger(range.offset + range.length)) return { range, archive: match[3]! };
  const shown = JSON.stringify(uri.slice(0, 200));
  throw new ClipfleetError(
    'IMAGE_URI_INVALID',
    `Expected tar:OFFSET+LENGTH:ARCHIVE with whole numbers, got ${shown}.`,
  );
}
