import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';

/** What a figure must stand beside: the machine, and the versions of what was measured. `redis-server` is asked itself. */
export function describeMachine(packages: readonly string[]): string {
  const cores = cpus();
  const versions = packages.map(
    (name) => `${name} ${name === 'redis-server' ? redisVersion() : versionOf(name)}`,
  );
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cores.length} cores of ${cores[0]?.model ?? 'unknown'}, ${memory} GiB, Node ${process.versions.node}, ${versions.join(', ')}`;
}

function versionOf(name: string): string {
  const path = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}

function redisVersion(): string {
  return /v=(\S+)/.exec(execFileSync('redis-server', ['--version'], { encoding: 'utf8' }))?.[1] ?? 'unknown';
}
