import { resolve } from 'node:path';
import { pathOfFileUri } from '../../shared/refs/fileUri.ts';
import { defaultRoot, parseRootUri } from '../../shared/refs/roots.ts';
import { schemeOf } from '../../shared/refs/uriScheme.ts';
import type { PublicRow } from '../../shared/rows/row.ts';

/** The file on this machine that a row is about, absolute; or what its image is instead, in the plural. */
export type LabeledFile = { path: string } | { isNone: string };

const OTHER_ROOTS = 'images of a root that is not known here (--root NAME=DIR says where it is)';

/** What images of other schemes are. */
const others: Record<string, string> = {
  http: 'images behind URLs',
  https: 'images behind URLs',
  s3: 'objects of S3',
  tar: 'members of archives',
  data: 'images that lie in their list',
};

/** @param roots directories of named roots on this machine, by name */
export function labeledFile(
  { uri, status }: Pick<PublicRow, 'uri' | 'status'>,
  roots: ReadonlyMap<string, string>,
): LabeledFile {
  if (status === 'failed') return { isNone: 'failed images' };
  const scheme = schemeOf(uri);
  try {
    if (scheme === 'file') return { path: pathOfFileUri(uri) };
    if (scheme === undefined) return below(roots, { name: defaultRoot, path: uri });
    if (scheme === 'root') return below(roots, parseRootUri(uri));
  } catch {
    return { isNone: 'images whose address names no file here' };
  }
  return { isNone: others[scheme] ?? 'images that are no files' };
}

function below(
  roots: ReadonlyMap<string, string>,
  { name, path }: { name: string; path: string },
): LabeledFile {
  const directory = roots.get(name);
  return directory === undefined ? { isNone: OTHER_ROOTS } : { path: resolve(directory, `./${path}`) };
}
