import { statSync } from 'node:fs';
import { resolve, sep } from 'node:path';
import { ClipfleetError } from '../errors.ts';
import { decodeName, encodeName, followLinks } from './byteNames.ts';

/** The root that plain relative paths are under. */
export const defaultRoot = '.';

const rootNamePattern = '[A-Za-z0-9_-]{1,64}';

/**
 * The values of `--root [NAME=]DIR` as a map from name to absolute directory. Without NAME it is the default root `.`;
 * without any value the default root is `cwd`, so that whoever names a root serves that and nothing else.
 *
 * Throws USAGE with all faults together.
 */
export function parseRoots(values: string[], cwd: string): Map<string, string> {
  if (values.length === 0) return new Map([[defaultRoot, cwd]]);
  const roots = new Map<string, string>();
  const faults: string[] = [];
  for (const value of values) {
    const named = new RegExp(`^(${rootNamePattern})=(.*)$`, 's').exec(value);
    const name = named?.[1] ?? defaultRoot;
    const given = named?.[2] ?? value;
    const directory = resolve(cwd, given);
    const fault = directoryFault(given, directory);
    if (fault !== undefined) faults.push(`--root ${value}: ${fault}`);
    if (roots.has(name))
      faults.push(`--root ${value}: the name "${name}" is given twice; give each root its own`);
    roots.set(name, directory);
  }
  if (faults.length > 0) {
    const form = 'expected [NAME=]DIR with NAME of 1 to 64 letters, digits, "_" or "-"';
    throw new ClipfleetError('USAGE', `${faults.join('\n')}\n(${form}; without NAME the root is ".")`);
  }
  return roots;
}

function directoryFault(given: string, directory: string): string | undefined {
  if (given === '') return 'expected a directory, got nothing';
  try {
    if (statSync(directory).isDirectory()) return undefined;
    return `expected a directory, got something else at ${directory}`;
  } catch (error) {
    return `expected a directory, ${directory} cannot be reached (${(error as NodeJS.ErrnoException).code})`;
  }
}

/** Whether `path` is `directory` or below it, by their words: both absolute and normalised, links not followed. */
export function isInside(directory: string, path: string): boolean {
  return path === directory || path.startsWith(directory.endsWith(sep) ? directory : directory + sep);
}

/** The path with every link followed, or undefined while it cannot be reached (a share that is not mounted). */
export function realPath(path: string): string | undefined {
  try {
    return followLinks(path);
  } catch {
    return undefined;
  }
}

/** `root://NAME/path`, every segment percent-encoded, so that `#`, `?`, `%` and bytes that are no UTF-8 survive. */
export function formatRootUri(name: string, relativePath: string): string {
  return `root://${name}/${relativePath.split(sep).map(encodeName).join('/')}`;
}

/** The root's name and the decoded relative path of a `root:` uri. Throws IMAGE_URI_INVALID. */
export function parseRootUri(uri: string): { name: string; path: string } {
  const match = new RegExp(`^root://(\\.|${rootNamePattern})/(.+)$`, 'is').exec(uri);
  try {
    if (match) return { name: match[1]!, path: decodeName(match[2]!) };
  } catch {
    // A "%" that begins no byte: the same message as for every other fault.
  }
  const shown = JSON.stringify(uri.slice(0, 200));
  throw new ClipfleetError(
    'IMAGE_URI_INVALID',
    `Expected root://NAME/path with the path percent-encoded, got ${shown}.`,
  );
}
