import type { Dispatcher } from 'undici';
import { ClipfleetError } from '../../shared/errors.ts';
import type { ByteRange } from '../../shared/refs/tarUri.ts';
import type { RangeRead } from '../../shared/refs/wholeRange.ts';
import { answeredRange } from './byteRange.ts';

/**
 * The body of an answer that has what was asked for, whole or a range; undefined for any other answer, whose body is left.
 *
 * Throws IMAGE_TOO_LARGE, IMAGE_UNSUPPORTED, IMAGE_HTTP_STATUS, or what the connection does.
 */
export async function readAnswer(
  response: Dispatcher.ResponseData,
  from: string,
  bytesMax: number,
  range: ByteRange | undefined,
): Promise<RangeRead | undefined> {
  if (range === undefined) {
    if (response.statusCode < 200 || response.statusCode > 299) return undefined;
    const bytes = await readBody(response, from, bytesMax);
    return { bytes, size: bytes.length };
  }
  let answered: ReturnType<typeof answeredRange>;
  try {
    answered = answeredRange(response.statusCode, response.headers['content-range'], range);
  } catch (error) {
    discard(response);
    throw error;
  }
  if (answered === undefined) return undefined;
  if (answered.length > 0)
    return { bytes: await readBody(response, from, answered.length), size: answered.size };
  discard(response);
  return { bytes: new Uint8Array(), size: answered.size };
}

async function readBody(
  response: Dispatcher.ResponseData,
  from: string,
  bytesMax: number,
): Promise<Uint8Array> {
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    discard(response);
    throw new ClipfleetError(
      'IMAGE_UNSUPPORTED',
      `Expected the plain bytes of ${from}, got them with content-encoding ${String(encoding).slice(0, 40)}.`,
    );
  }
  const announced = Number(response.headers['content-length'] ?? 0);
  const chunks: Uint8Array[] = [];
  let byteCount = 0;
  try {
    if (announced > bytesMax) throw tooLarge(from, announced, bytesMax);
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      byteCount += chunk.length;
      if (byteCount > bytesMax) throw tooLarge(from, byteCount, bytesMax);
      chunks.push(chunk);
    }
  } finally {
    discard(response);
  }
  return Buffer.concat(chunks, byteCount);
}

/** Ends a body that nobody reads, with its connection if there is more to come: a slow error page must hold nothing. */
export function discard(response: Dispatcher.ResponseData): void {
  response.body.on('error', () => {}).destroy();
}

function tooLarge(from: string, byteCount: number, bytesMax: number): ClipfleetError {
  return new ClipfleetError(
    'IMAGE_TOO_LARGE',
    `Expected at most ${bytesMax} bytes from ${from}, got ${byteCount} or more; allow more bytes.`,
  );
}
