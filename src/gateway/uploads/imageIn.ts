import { ClipfleetError } from '../../shared/errors.ts';
import { imageRefLimits } from '../../shared/refs/imageRef.ts';

const base64Form = /^[A-Za-z0-9+/_-]+={0,2}$/;

/**
 * The bytes of an image that come as base64, bare or in a `data:` URL; any other URL as it is. Paths mean nothing to a worker, and are none of a
 * caller's business.
 *
 * @throws REQUEST_INVALID
 */
export function imageIn(text: string): Buffer | string {
  const start = /^data:[^,]*;base64,/i.exec(text)?.[0] ?? '';
  const isUrl = start === '' && /^(https?|s3|data):/i.test(text);
  const bytes = isUrl ? undefined : bytesIn(text.slice(start.length).replace(/\s+/g, ''));
  if (bytes && (start !== '' || bytes.length >= 30)) return bytes;
  // What is wrong with the data of a URL, its row says.
  if (isUrl || start !== '') return text;
  const shown = JSON.stringify(text.slice(0, 60));
  const message = `Expected an image as base64 or an http, https, s3 or data URL, got ${shown}.`;
  throw new ClipfleetError('REQUEST_INVALID', message);
}

/** What `imageIn` says, as the uri of a ref that has the bytes in it. @throws REQUEST_INVALID for more than a ref holds */
export function inlineUri(image: Buffer | string): string {
  const uri = typeof image === 'string' ? image : `data:;base64,${image.toString('base64')}`;
  if (uri.length <= imageRefLimits.uriCharsMax) return uri;
  const message = `Expected an image of at most ${imageRefLimits.uriCharsMax} characters, got ${uri.length}; say its URL.`;
  throw new ClipfleetError('REQUEST_INVALID', message);
}

/** Undefined for what is no base64, or breaks off: Buffer leaves out what it does not know without a word. */
function bytesIn(base64: string): Buffer | undefined {
  if (!base64Form.test(base64) || base64.replace(/=+$/, '').length % 4 === 1) return undefined;
  return Buffer.from(base64, 'base64');
}
