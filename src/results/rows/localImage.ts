import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultRoot, parseRootUri } from '../../shared/refs/roots.ts';
import { schemeOf } from '../../shared/refs/uriScheme.ts';
import type { ExportedRun } from './exportedRun.ts';

/** The file on this machine that a row's uri names, absolute; undefined where it names none: a URL, an archive's member, an unknown root. */
export function localImage(uri: string, { roots }: Pick<ExportedRun, 'roots'>): string | undefined {
  const scheme = schemeOf(uri);
  try {
    if (scheme === 'file') return fileURLToPath(uri);
    if (scheme === 'root') return under(roots, parseRootUri(uri));
    return scheme === undefined ? under(roots, { name: defaultRoot, path: uri }) : undefined;
  } catch {
    // The worker could not read it either.
    return undefined;
  }
}

function under(
  roots: ReadonlyMap<string, string>,
  { name, path }: { name: string; path: string },
): string | undefined {
  const directory = roots.get(name);
  return directory === undefined ? undefined : resolve(join(directory, path));
}

/** Counts what a format leaves out, and says it. */
export function createOmissions() {
  const counts = new Map<string, number>();
  return {
    /** @param what in the plural, such as `failed images` */
    add(what: string): void {
      counts.set(what, (counts.get(what) ?? 0) + 1);
    },
    sentences(): string[] {
      return [...counts].map(([what, images]) => `Left out: ${images} ${what}.`);
    },
  };
}

/** Why images that are no files here cannot be in a format that names files. */
export const NOT_LOCAL = 'images that are not files on this machine (--root NAME=DIR says where a root is)';
export const FAILED = 'failed images';
