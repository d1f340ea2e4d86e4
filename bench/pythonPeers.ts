import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { TestBed } from './bench.ts';

const script = fileURLToPath(new URL('../../bench/peers.py', import.meta.url));

export interface PeerRequest {
  peer: string;
  model: string;
  labels: readonly string[];
  files: readonly string[];
  /** Images that go through the model together. */
  batch: number;
  threads: number;
}

/** How long the files took and the best label of each, or why the peer could not be asked. */
export type PeerAnswer = { seconds: number; best: string[] } | { absent: string };

export interface PythonPeers {
  ask(request: PeerRequest): Promise<PeerAnswer>;
  /** Of Python and the packages, as they stand under a table. */
  versions(): Promise<string>;
}

/** One Python process for all peers that are Python; without an interpreter all of them are absent. */
export function startPythonPeers(bed: TestBed, interpreter: string): PythonPeers {
  const child = spawn(interpreter, [script], { stdio: ['pipe', 'pipe', 'ignore'] });
  bed.after(() => child.kill());
  const waiting: ((line: string | undefined) => void)[] = [];
  let gone: string | undefined;
  const end = (why: string) => {
    gone ??= why;
    for (const answer of waiting.splice(0)) answer(undefined);
  };
  child.once('error', (error) => end(error.message));
  child.once('exit', (code, signal) => end(`${interpreter} ended with ${signal ?? code}`));
  child.stdin.on('error', (error) => end(error.message));
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.(line));

  async function exchange<T>(request: unknown): Promise<T | { absent: string }> {
    if (gone !== undefined) return { absent: gone };
    const line = await new Promise<string | undefined>((resolve) => {
      waiting.push(resolve);
      child.stdin.write(`${JSON.stringify(request)}\n`);
    });
    return line === undefined ? { absent: gone ?? 'no answer' } : (JSON.parse(line) as T);
  }

  return {
    ask: (request) => exchange<PeerAnswer>(request),
    async versions() {
      const answer = await exchange<{ versions: Record<string, string> }>({ versions: true });
      if ('absent' in answer) return `Python: ${answer.absent}`;
      return Object.entries(answer.versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', ');
    },
  };
}
