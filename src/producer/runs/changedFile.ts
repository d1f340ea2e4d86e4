import { stat } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import { pathBytes } from '../../shared/refs/byteNames.ts';
import { pathOfFileUri } from '../../shared/refs/fileUri.ts';
import { defaultRoot, parseRootUri } from '../../shared/refs/roots.ts';
import { schemeOf } from '../../shared/refs/uriScheme.ts';
import type { Row } from '../../shared/rows/row.ts';

/**
 * Tells rows of files here that were written after them. Where an image lies elsewhere, in an archive, or is gone, it did not
 * change.
 *
 * @param roots the directories of the roots on this machine
 */
export function createIsChanged(roots: Map<string, string>): (row: Row) => Promise<boolean> {
  return async ({ uri, at }) => {
    const path = pathHere(uri, roots);
    const stats = path === undefined ? undefined : await stat(pathBytes(path)).catch(() => undefined);
    return stats !== undefined && stats.mtimeMs > 1_000 * at;
  };
}

function pathHere(uri: string, roots: Map<string, string>): string | undefined {
  const scheme = schemeOf(uri);
  if (scheme === 'file') return pathOfFileUri(uri);
  if (scheme !== undefined && scheme !== 'root') return undefined;
  if (scheme === undefined && isAbsolute(uri)) return uri;
  const { name, path } = scheme === 'root' ? parseRootUri(uri) : { name: defaultRoot, path: uri };
  const directory = roots.get(name);
  return directory === undefined ? undefined : resolve(directory, path);
}
