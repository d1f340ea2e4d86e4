import { ClipfleetError } from '../../shared/errors.ts';

/**
 * A URL as it is; else base64, as the data of a URL. Paths mean nothing to a worker, and are none of a caller's business.
 *
 * @throws REQUEST_INVALID
 */
export function imageUriOf(text: string): string {
  if (/^(https?|s3|data):/i.test(text)) return text;
  const base64 = text.replace(/\s+/g, '');
  if (base64.length >= 40 && /^[A-Za-z0-9+/_-]+={0,2}$/.test(base64)) {
    return `data:;base64,${base64.replaceAll('-', '+').replaceAll('_', '/')}`;
  }
  const shown = JSON.stringify(text.slice(0, 60));
  const message = `Expected an image as base64 or an http, https, s3 or data URL, got ${shown}.`;
  throw new ClipfleetError('REQUEST_INVALID', message);
}
