import { ClipfleetError } from '../../shared/errors.ts';

/**
 * The bytes of a `data:` URL (RFC 2397), read as the WHATWG Fetch standard's "data: URL processor" does: percent-decoded
 * first, then base64 with white space allowed. What is decoded is bounded by its text's length before anything is.
 *
 * Throws IMAGE_URI_INVALID and IMAGE_TOO_LARGE.
 */
export function readDataUrl(uri: string, bytesMax: number): Uint8Array {
  const comma = uri.indexOf(',');
  if (comma < 0) throw invalid(uri, 'it has no comma');
  const isBase64 = /; *base64 *$/i.test(uri.slice(0, comma));
  const body = uri.slice(comma + 1);
  // Three characters of text hold at least one byte percent-encoded, and four characters hold three bytes as base64.
  const charactersMax = isBase64 ? 3 * (4 * Math.ceil(bytesMax / 3)) : 3 * bytesMax;
  if (body.length > charactersMax) throw tooLarge(body.length, 'characters of data URL', bytesMax);
  const text = percentDecode(body);
  if (isBase64) return decodeBase64(uri, text, bytesMax);
  if (text.length > bytesMax) throw tooLarge(text.length, 'bytes', bytesMax);
  return text;
}

/** Percent-decoding as the WHATWG URL standard has it: a `%` that begins no byte stands for itself. */
function percentDecode(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  if (!text.includes('%')) return bytes;
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const pair = bytes[at] === 0x25 ? bytes.toString('latin1', at + 1, at + 3) : '';
    const isEncoded = /^[0-9a-f]{2}$/i.test(pair);
    bytes[length++] = isEncoded ? Number.parseInt(pair, 16) : bytes[at]!;
    if (isEncoded) at += 2;
  }
  return bytes.subarray(0, length);
}

function decodeBase64(uri: string, text: Buffer, bytesMax: number): Buffer {
  const digits = text.toString('latin1').replace(/[\t\n\f\r ]+/g, '');
  // Buffer leaves out what is not base64 without a word, and an image with a hole in it would go on.
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(digits)) throw invalid(uri, 'it holds characters that are not base64');
  const length = digits.replace(/=+$/, '').length;
  if (length % 4 === 1) throw invalid(uri, 'its base64 breaks off');
  const byteCount = Math.floor((length * 3) / 4);
  if (byteCount > bytesMax) throw tooLarge(byteCount, 'bytes', bytesMax);
  return Buffer.from(digits, 'base64');
}

function invalid(uri: string, why: string): ClipfleetError {
  const shown = JSON.stringify(`${uri.slice(0, 32)}${uri.length > 32 ? '…' : ''}`);
  return new ClipfleetError('IMAGE_URI_INVALID', `Expected data:[type][;base64],DATA, got ${shown}: ${why}.`);
}

function tooLarge(count: number, unit: string, bytesMax: number): ClipfleetError {
  return new ClipfleetError(
    'IMAGE_TOO_LARGE',
    `Expected at most ${bytesMax} bytes, got ${count} ${unit}; allow more bytes or shrink the image.`,
  );
}
