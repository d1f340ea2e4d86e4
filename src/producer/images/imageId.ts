import { createHash } from 'node:crypto';
import { schemeOf } from '../../shared/refs/uriScheme.ts';

/** The longest id the wire format has, in UTF-16 code units. */
const ID_LENGTH_MAX = 1024;

/** The id of an image that has no other than its uri: the uri; of a `data:` URL, `data:` and 16 hex digits of its SHA-256. */
export function idOfUri(uri: string): string {
  return schemeOf(uri) === 'data' ? `data:${digest(uri)}` : shortened(uri);
}

/** Signed URLs may be longer than an id: a digest keeps what is cut off apart. */
export function shortened(text: string): string {
  if (text.length <= ID_LENGTH_MAX) return text;
  const kept = text.slice(0, ID_LENGTH_MAX - 17).replace(/[\uD800-\uDBFF]$/, '');
  return `${kept}~${digest(text)}`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
