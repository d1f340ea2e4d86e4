import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { TestBed } from './bench.ts';
import type { Order } from './fleetWorker.ts';
import { redisNumber } from './redisInfo.ts';
import type { Queue } from './workers.ts';

/** Worker processes that wait for orders. */
export interface Fleet {
  /** The first `count` of them open the lane; resolves when each waits for a job there, which it does while it is paused. */
  open(count: number, lane: string, rows: boolean): Promise<void>;
  /** They close it. */
  close(count: number): Promise<void>;
}

const file = fileURLToPath(new URL('./fleetWorker.js', import.meta.url));

export async function startFleet(bed: TestBed, { redis }: Queue, size: number): Promise<Fleet> {
  const children: ChildProcess[] = [];
  for (let i = 0; i < size; i++) {
    const child = fork(file, [String(redis.options.path)]);
    bed.after(() => child.disconnect());
    children.push(child);
    await answer(child);
  }
  const tell = async (count: number, order: Order) => {
    await Promise.all(
      children.slice(0, count).map((child) => {
        const done = answer(child);
        child.send(order);
        return done;
      }),
    );
  };
  return {
    async open(count, lane, rows) {
      await tell(count, { lane, rows });
      while ((await redisNumber(redis, 'clients', 'blocked_clients')) < count) await delay(5);
    },
    close: (count) => tell(count, 'close'),
  };
}

async function answer(child: ChildProcess): Promise<void> {
  const ended = new AbortController();
  const onExit = () => ended.abort(new Error('A worker process of the fleet ended by itself.'));
  child.once('exit', onExit);
  try {
    await once(child, 'message', { signal: ended.signal });
  } finally {
    child.off('exit', onExit);
  }
}
