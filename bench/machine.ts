import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';

/** What a figure must stand beside: the machine, and the versions of what was measured. */
export function describeMachine(packages: readonly string[]): string {
  const cores = cpus();
  const versions = packages.map((name) => {
    const path = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
    return `${name} ${(JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version}`;
  });
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cores.length} cores of ${cores[0]?.model ?? 'unknown'}, ${memory} GiB, Node ${process.versions.node}, ${versions.join(', ')}`;
}
