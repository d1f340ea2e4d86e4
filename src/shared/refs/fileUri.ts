import { sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { decodeName, encodeName, isUtf8Name } from './byteNames.ts';

/** The `file:` URL of an absolute path, byte for byte. */
export function formatFileUri(path: string): string {
  return isUtf8Name(path) ? pathToFileURL(path).href : `file://${path.split(sep).map(encodeName).join('/')}`;
}

/** The path of a `file:` URL. Throws a TypeError or an URIError for one that has none here. */
export function pathOfFileUri(uri: string): string {
  const { host, pathname } = new URL(uri);
  // Node's own function refuses bytes that are no UTF-8.
  const isPlain = host !== '' || !/%[89a-f]/i.test(pathname) || /%2f|%00/i.test(pathname);
  return isPlain ? fileURLToPath(uri) : decodeName(pathname);
}
