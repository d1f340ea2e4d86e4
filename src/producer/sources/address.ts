import { isAbsolute, relative, resolve, sep } from 'node:path';
import { ClipfleetError } from '../../shared/errors.ts';
import { isUtf8Name } from '../../shared/refs/byteNames.ts';
import { formatFileUri } from '../../shared/refs/fileUri.ts';
import { defaultRoot, formatRootUri, isInside, realPath } from '../../shared/refs/roots.ts';
import { schemeOf } from '../../shared/refs/uriScheme.ts';

/**
 * Makes the uri of a file. `givenAs` is the path in the user's own words, for messages. Throws ClipfleetError USAGE when the
 * file cannot be named to the workers.
 */
export type Address = (absolutePath: string, givenAs: string) => string;

/**
 * For a fleet: `root://NAME/path` under a named root (the innermost, where roots lie in each other), else a relative path
 * under the root `.`. Both mean the same file on every machine that serves those roots.
 */
export function rootAddress(roots: Map<string, string>, cwd: string): Address {
  const places = [...roots].flatMap(([name, given]) => {
    const directory = resolve(cwd, given);
    return [...new Set([directory, realPath(directory) ?? directory])].map((path) => ({ name, path }));
  });
  // Named roots before the default one, inner ones before outer ones.
  places.sort(
    (a, b) =>
      Number(a.name === defaultRoot) - Number(b.name === defaultRoot) || b.path.length - a.path.length,
  );
  const find = (path: string) => places.find((place) => isInside(place.path, path));
  return (absolutePath, givenAs) => {
    // Links are followed only where the words do not fit, for instance when the working directory is reached by a link.
    let path = absolutePath;
    let place = find(path);
    if (place === undefined) {
      path = realPath(absolutePath) ?? absolutePath;
      place = find(path);
    }
    if (place === undefined) throw outsideRoots(givenAs, roots);
    const below = relative(place.path, path);
    // Plain paths are text; what is none needs its bytes encoded.
    const isPlain = place.name === defaultRoot && isUtf8Name(below);
    return isPlain ? plainPath(below) : formatRootUri(place.name, below);
  };
}

/** For `label`, whose worker reads what its own user named: an absolute `file:` URL. */
export const trustedAddress: Address = formatFileUri;

function plainPath(below: string): string {
  const path = below.split(sep).join('/');
  return schemeOf(path) !== undefined || path === '' || isAbsolute(path) ? `./${path}` : path;
}

function outsideRoots(givenAs: string, roots: Map<string, string>): ClipfleetError {
  const served = [...roots].map(([name, directory]) => `${name}=${directory}`).join(', ');
  return new ClipfleetError(
    'USAGE',
    `${givenAs}: expected a path under a root (${served}); name its folder with --root NAME=DIR, here and on the workers.`,
  );
}
