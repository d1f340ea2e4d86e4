import { ClipfleetError } from '../../shared/errors.ts';
import type { ByteRange } from '../../shared/refs/tarUri.ts';

/** As HTTP writes a range of at least one byte. */
export function rangeHeader({ offset, length }: ByteRange): string {
  return `bytes=${offset}-${offset + length - 1}`;
}

/**
 * How many bytes the body of an answer to a request for a range has, and the size of the whole, from status and
 * `Content-Range`. A range behind the end has no bytes. Undefined when the answer is about something else.
 *
 * Throws IMAGE_HTTP_STATUS for a server that sends the whole: of an archive that would be gigabytes for each member.
 */
export function answeredRange(
  status: number,
  contentRange: unknown,
  { offset, length }: ByteRange,
): { length: number; size: number } | undefined {
  const header = String(contentRange ?? '').slice(0, 100);
  if (status === 416) {
    const beyond = /^bytes \*\/(\d+)$/.exec(header);
    return beyond ? { length: 0, size: Number(beyond[1]) } : undefined;
  }
  if (status !== 206 && (status < 200 || status > 299)) return undefined;
  const [, first, last, size] = (/^bytes (\d+)-(\d+)\/(\d+)$/.exec(header) ?? []).map(Number);
  const end = Math.min(offset + length, size ?? 0);
  if (status === 206 && first === offset && last === end - 1) return { length: end - offset, size: size! };
  throw new ClipfleetError(
    'IMAGE_HTTP_STATUS',
    `Expected HTTP 206 with bytes ${offset} to ${offset + length - 1}, got ${status} with ` +
      `${header === '' ? 'no range' : JSON.stringify(header)}: the server does not read ranges; copy the file elsewhere.`,
  );
}
