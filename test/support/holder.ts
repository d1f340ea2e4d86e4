import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { Redis } from 'ioredis';
import { until } from './support.ts';

/** A process of its own that holds a share in the local Redis of a folder. */
export interface Holder {
  pid: number;
  socket: string;
  say(word: 'ensure' | 'release'): Promise<void>;
  interruptGroup(): Promise<void>;
  kill(): Promise<void>;
}

/** Starts a holder and waits until it has its share. */
export async function holdLease(t: TestContext, dataDir: string, env = process.env): Promise<Holder> {
  const child = fork(new URL('holder-process.js', import.meta.url), [dataDir], { detached: true, env });
  t.after(() => child.kill('SIGKILL'));
  const socket = await answerOf(child);
  const pid = child.pid ?? 0;
  return {
    pid,
    socket,
    async say(word) {
      child.send(word);
      await answerOf(child);
    },
    async interruptGroup() {
      process.kill(-pid, 'SIGINT');
      await answerOf(child);
    },
    async kill() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

async function answerOf(child: ChildProcess): Promise<string> {
  const ended = once(child, 'exit').then(([code]) =>
    Promise.reject(new Error(`The holder ended with ${code}.`)),
  );
  const [answer] = await Promise.race([once(child, 'message'), ended]);
  return String(answer);
}

/** One command to the server behind the socket. */
export async function askRedis(socket: string, ...words: [string, ...string[]]): Promise<string> {
  const redis = new Redis({ path: socket, retryStrategy: () => null, lazyConnect: true });
  redis.on('error', () => {});
  try {
    await redis.connect();
    return String(await redis.call(...words));
  } finally {
    redis.disconnect();
  }
}

export async function infoOf(socket: string, field: string): Promise<number> {
  const info = await askRedis(socket, 'INFO', 'server');
  return Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1]);
}

export function serverPid(socket: string): Promise<number> {
  return infoOf(socket, 'process_id');
}

/** Waits until there is no such process; one that only waits for its parent to notice counts as gone. */
export async function untilGone(pid: number): Promise<void> {
  await until(() => /^$|^Z/.test(processField(pid, 'stat')), `process ${pid} is gone`);
}

export function parentOf(pid: number): number {
  return Number(processField(pid, 'ppid'));
}

/** `ps` is not everywhere; /proc, where Linux says the same, is. */
function processField(pid: number, field: 'stat' | 'ppid'): string {
  try {
    if (process.platform !== 'linux')
      return execFileSync('ps', ['-o', `${field}=`, '-p', `${pid}`])
        .toString()
        .trim();
    const afterName = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1) ?? '';
    return afterName.split(' ')[field === 'stat' ? 0 : 1] ?? '';
  } catch {
    return '';
  }
}
