import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isInside, parseRootUri } from '../refs/roots.ts';

/** What a process may write vectors to. */
export interface WritePlaces {
  /** Directories of named roots that are shared for writing, by name. */
  writeRoots?: ReadonlyMap<string, string>;
  /** Take `file:` URLs too, as `clipfleet label` does for the user who typed the folder. */
  trustPaths: boolean;
}

/** The folder of a run's vectors on this machine; undefined where this process cannot reach it. */
export function vectorFolderOf(
  run: string,
  uri: string,
  { writeRoots, trustPaths }: WritePlaces,
): string | undefined {
  if (uri.startsWith('file:')) return trustPaths ? join(fileURLToPath(uri), run) : undefined;
  const { name, path } = parseRootUri(uri);
  const root = writeRoots?.get(name);
  const folder = root === undefined ? undefined : resolve(root, path, run);
  return folder !== undefined && isInside(root!, folder) ? folder : undefined;
}
