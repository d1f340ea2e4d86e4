import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Redis } from 'ioredis';
import { createProducer, type Producer } from '../src/producer/producer.ts';
import { leaseLocalRedis } from '../src/shared/redis/localRedis.ts';
import { connectRedis } from '../src/shared/redis/redis.ts';
import { coreSecondsOf, residentMiBOf } from '../src/worker/decoders/processTree.ts';
import type { TestBed } from './bench.ts';

export const startFile = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));

/** A Redis server in the bench's folder, as `clipfleet` starts one: with its append-only log. */
export interface Queue {
  redis: Redis;
  producer: Producer;
  dataDir: string;
}

export async function startQueue(bed: TestBed): Promise<Queue> {
  const dataDir = join(bed.folder, 'redis');
  const lease = await leaseLocalRedis({ dataDir });
  bed.after(() => lease.release());
  const redis = await connectRedis({ socket: lease.socket });
  bed.after(() => redis.disconnect());
  return { redis, producer: createProducer({ redis }), dataDir };
}

/** A `clipfleet worker` in a process of its own. */
export interface WorkerProcess {
  /** Identity of its model. */
  model: string;
  pid: number;
  /** Seconds of a core that it and its decoders have used so far. */
  coreSeconds(): Promise<number>;
  /** Batches so far and the images in them, as the worker logs them once a second. */
  batches(): { images: number; batches: number };
  /** Resident memory of it and its decoders, MiB. */
  residentMiB(): Promise<number>;
  /** Lets it finish what it has. */
  stop(): Promise<void>;
}

/**
 * Starts a worker on the queue and waits until it takes jobs.
 *
 * @param flags of `clipfleet worker`; @param env beside this process' own
 */
export async function startWorkerProcess(
  bed: TestBed,
  queue: Pick<Queue, 'dataDir'>,
  flags: readonly string[],
  env: Record<string, string> = {},
): Promise<WorkerProcess> {
  const args = [
    ...process.execArgv,
    startFile,
    'worker',
    '--data-dir',
    queue.dataDir,
    '--log-every-ms',
    '1000',
    ...flags,
  ];
  const stdio = ['ignore', 'ignore', 'pipe'] as const;
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: [...stdio] });
  bed.after(() => stop(child));
  const done = { images: 0, batches: 0 };
  const { model } = await readiness(child, (said) => {
    done.images += said.images;
    done.batches += said.batches;
  });
  const pid = child.pid!;
  return {
    model,
    pid,
    coreSeconds: async () => coreSecondsOf(pid),
    batches: () => ({ ...done }),
    residentMiB: async () => residentMiBOf(pid),
    stop: () => stop(child),
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

/** What the worker logs once it takes jobs. The log is read to its end, or the worker would wait for its reader. */
function readiness(
  child: ChildProcess,
  onWork: (work: { images: number; batches: number }) => void,
): Promise<{ model: string }> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    createInterface({ input: child.stderr! }).on('line', (line) => {
      if (said.length < 20) said.push(line);
      if (line.includes('"worker ready"')) resolve(JSON.parse(line) as { model: string });
      if (line.includes('"msg":"worker"')) onWork(JSON.parse(line) as { images: number; batches: number });
    });
    child.once('exit', () => reject(new Error(`The worker ended before it was ready:\n${said.join('\n')}`)));
  });
}
