import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Redis } from 'ioredis';
import { createProducer, type Producer } from '../../src/producer/producer.ts';
import { leaseLocalRedis } from '../../src/shared/redis/localRedis.ts';
import { connectRedis } from '../../src/shared/redis/redis.ts';
import type { Row } from '../../src/shared/rows/row.ts';
import { temporaryFolder } from './support.ts';

export const repository = fileURLToPath(new URL('../../../', import.meta.url));
export const demoModel = join(repository, 'models/demo');
export const pictures = join(repository, 'examples/pictures');

/** The command line's start file. */
export const startFile = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A command of the command line in a process of its own. */
export interface Running {
  child: ChildProcess;
  /** Standard output and error so far. */
  text(): { stdout: string; stderr: string };
  ended: Promise<Ended>;
}

/** A Redis server of the test's own, in a folder of its own, with commands that use it. */
export interface Fleet {
  folder: string;
  /** What commands find in their environment besides the test's own. */
  env: Record<string, string>;
  /** What commands are started by, such as `unshare`; nothing when empty. */
  startedBy: string[];
  redis: Redis;
  producer: Producer;
  start(...args: string[]): Running;
  run(...args: string[]): Promise<Ended>;
  /** All rows of a run. */
  rows(run: string): Promise<Row[]>;
}

export async function startFleet(t: TestContext): Promise<Fleet> {
  const folder = await temporaryFolder(t);
  const dataDir = join(folder, '.clipfleet');
  const lease = await leaseLocalRedis({ dataDir });
  const redis = await connectRedis({ socket: lease.socket });
  // Some tests take the server away.
  redis.on('error', () => {});
  const producer = createProducer({ redis });
  const children: ChildProcess[] = [];
  const startedBy: string[] = [];
  const env: Record<string, string> = {
    CLIPFLEET_DATA_DIR: dataDir,
    CLIPFLEET_CACHE_DIR: join(folder, 'cache'),
    CLIPFLEET_SPOOL: join(folder, 'spool'),
  };
  t.after(async () => {
    for (const child of children) child.kill('SIGKILL');
    redis.disconnect();
    await lease.release();
  });

  function start(...args: string[]): Running {
    const [command, ...rest] = [...startedBy, process.execPath, startFile, ...args];
    const child = spawn(command!, rest, {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    const text = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text.stdout += piece;
    });
    child.stderr.setEncoding('utf8').on('data', (piece: string) => {
      text.stderr += piece;
    });
    const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...text }));
    return { child, text: () => text, ended };
  }

  return {
    folder,
    env,
    startedBy,
    redis,
    producer,
    start,
    run: (...args) => start(...args).ended,
    async rows(run) {
      const rows: Row[] = [];
      let cursor: string | undefined;
      do {
        const page = await producer.store.getRows(run, cursor);
        rows.push(...page.rows);
        cursor = page.cursor;
      } while (cursor !== undefined);
      return rows;
    },
  };
}

/** `count` copies of the example pictures in a folder below the fleet's. */
export async function copyPictures(fleet: Fleet, name: string, count: number): Promise<void> {
  const names = ['owl.jpg', 'car.jpg', 'cat.webp', 'bear.png', 'fox.jpg', 'dog.jpg'];
  await mkdir(join(fleet.folder, name));
  for (let i = 0; i < count; i++) {
    const picture = names[i % names.length]!;
    await copyFile(
      join(pictures, picture),
      join(fleet.folder, name, `${String(i).padStart(4, '0')}-${picture}`),
    );
  }
}

/** The JSON lines of a command's standard output. */
export function jsonLines<T = Record<string, unknown>>(text: string): T[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}
