import { ClipfleetError, type ErrorCode } from '../../shared/errors.ts';

/** The limits that a message names. */
interface DecodeLimits {
  pixelsMax: number;
  timeoutMs: number;
}

/** sharp throws plain errors: the first pattern that matches the message names the code. */
const faults: [RegExp, ErrorCode][] = [
  [
    /unsupported image format|compression format|been built in|not configured|channel limit/i,
    'IMAGE_UNSUPPORTED',
  ],
  [/exceeds pixel limit|security limit/i, 'IMAGE_TOO_MANY_PIXELS'],
  [/^timeout:/i, 'DECODE_TIMEOUT'],
];

const remedies: Partial<Record<ErrorCode, (limits: DecodeLimits) => string>> = {
  IMAGE_UNSUPPORTED: () => 'Expected JPEG, PNG, WebP, GIF, TIFF or AVIF; convert it',
  IMAGE_TOO_MANY_PIXELS: ({ pixelsMax }) =>
    `Expected at most ${pixelsMax} pixels; shrink it or raise the limit`,
  DECODE_TIMEOUT: ({ timeoutMs }) => `Expected pixels within ${timeoutMs} ms; shrink it or raise the limit`,
  IMAGE_CORRUPT: () => 'Expected a whole image; get the file anew, or accept truncated images',
};

/** What sharp threw as an error of the image. */
export function asImageError(thrown: unknown, limits: DecodeLimits): ClipfleetError {
  if (thrown instanceof ClipfleetError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const code = faults.find(([pattern]) => pattern.test(message))?.[1] ?? 'IMAGE_CORRUPT';
  // libtiff may say the same thing a hundred times over.
  const said = message.split('\n', 1)[0]!.slice(0, 200);
  return new ClipfleetError(code, `${remedies[code]?.(limits)}. The decoder says: ${said}`, {
    cause: thrown,
  });
}
