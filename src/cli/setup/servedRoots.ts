import type { ServingWorker } from '../../shared/fleet/servingWorkers.ts';
import { defaultRoot, realPath } from '../../shared/refs/roots.ts';
import { parseTarUri } from '../../shared/refs/tarUri.ts';
import { schemeOf } from '../../shared/refs/uriScheme.ts';

/** The root that a uri is under; undefined where it is under none. */
export function rootOfUri(uri: string): string | undefined {
  const scheme = schemeOf(uri);
  if (scheme === 'tar') return rootOfUri(parseTarUri(uri).archive);
  // Of the root's own folder, which is no image, there is no path behind it.
  if (scheme === 'root') return /^root:\/\/([^/]+)\//i.exec(uri)?.[1];
  return scheme === undefined ? defaultRoot : undefined;
}

/**
 * What stands against workers finding the images under `used` roots: a root that none of them serves, or, on this host, one that is
 * another folder there. On other hosts a folder may lie elsewhere and be the same.
 */
export function rootFaults(
  used: Iterable<string>,
  roots: Map<string, string>,
  workers: readonly Pick<ServingWorker, 'host' | 'pid' | 'roots'>[],
  host: string,
): string[] {
  const known = workers.filter((worker) => worker.roots !== undefined);
  return [...used].flatMap((name) => {
    const here = roots.get(name);
    if (here === undefined || known.length === 0) return [];
    const serving = known.filter((worker) => worker.roots![name] !== undefined);
    if (serving.length === 0) {
      const flag = name === defaultRoot ? `--root ${here}` : `--root ${name}=${here}`;
      return [
        `no worker of this model serves the root "${name}": start workers with ${flag}, or where the folder lies there`,
      ];
    }
    const isHere = (path: string) => path === here || (realPath(path) ?? path) === realPath(here);
    const other = serving.find((worker) => worker.host === host && !isHere(worker.roots![name]!));
    if (other === undefined) return [];
    return [
      `the root "${name}" is ${here} here and ${other.roots![name]} for the worker ${other.pid} on this host: start both with one --root`,
    ];
  });
}
