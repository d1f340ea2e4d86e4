// Redis is full, read-only, without replicas, or stands still, while a worker has jobs: each image gets its row all the same.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { connectRedis } from '../../src/shared/redis/redis.ts';
import { type Fleet, startFleet } from '../support/fleet.ts';
import { serverPid } from '../support/holder.ts';
import {
  addRun,
  keepLog,
  laneOfTest,
  openLaneHere,
  openTestQueue,
  prefix,
} from '../support/laneInProcess.ts';
import { until } from '../support/support.ts';

const IMAGES = 120;
const lockMs = 400;

interface MidRun {
  fleet: Fleet;
  /** A second connection to the Redis. */
  admin: Redis;
  queue: Queue;
  /** Lets images that are held be classified, and all others. */
  goOn(): void;
  /** What the log has that begins so. */
  said(text: string): unknown[];
}

/** A run that a lane is in the middle of: two chunks are in hand, and held. */
async function inMidRun(t: TestContext, body: (scene: MidRun) => Promise<void>): Promise<void> {
  const fleet = await startFleet(t);
  const { log, lines } = keepLog();
  const queue = openTestQueue(t, fleet);
  await addRun(fleet, IMAGES);
  let isHolding = true;
  const held: (() => void)[] = [];
  const answer = [{ index: 1, score: 0.5 }];
  const classify = async ({ id }: { id: string }) => {
    if (isHolding && Number(id.slice(1)) >= 40) await new Promise<void>((resolve) => held.push(resolve));
    return answer;
  };
  const lane = openLaneHere(fleet, { log, lockMs, classify });
  await until(() => held.length === 8, 'two chunks are in hand');
  const admin = await connectRedis({ socket: fleet.redis.options.path! });
  t.after(() => admin.disconnect());
  const goOn = () => {
    isHolding = false;
    for (const open of held.splice(0)) open();
  };
  const said = (text: string) => lines.filter((line) => line.text.startsWith(text));
  try {
    await body({ fleet, admin, queue, goOn, said });
  } finally {
    goOn();
    await lane.close();
  }
}

/** No lock of a job in hand is left. */
async function locksAreGone(redis: Redis): Promise<boolean> {
  return (await redis.keys(`${prefix}:${laneOfTest}:*:lock`)).length === 0;
}

async function endsWithAllRows({ producer }: Fleet): Promise<void> {
  await until(async () => (await producer.runs.get('r'))?.state === 'complete', 'the run is complete');
  assert.deepEqual(await producer.store.counts('r'), { classified: IMAGES, failed: 0, failures: {} });
}

const states: Record<string, { begin(redis: Redis): Promise<unknown>; end(redis: Redis): Promise<unknown> }> =
  {
    full: {
      begin: (redis) => redis.config('SET', 'maxmemory', '1'),
      end: (redis) => redis.config('SET', 'maxmemory', '0'),
    },
    'without the replicas it must have': {
      begin: (redis) => redis.config('SET', 'min-replicas-to-write', '1'),
      end: (redis) => redis.config('SET', 'min-replicas-to-write', '0'),
    },
    'read-only': {
      begin: (redis) => redis.replicaof('127.0.0.1', 1),
      end: (redis) => redis.replicaof('NO', 'ONE'),
    },
  };

/** A server that was demoted is left: its answer makes the connection anew, and the worker waits for it without an error. */
const isLeft = (state: string) => state === 'read-only';

for (const [state, { begin, end }] of Object.entries(states)) {
  test(`while Redis is ${state}, no attempt is spent and no row is written; then the run goes on`, (t) =>
    inMidRun(t, async ({ fleet, admin, queue, goOn, said }) => {
      await begin(admin);
      try {
        goOn();
        if (!isLeft(state)) await until(() => said('backing off').length > 0, 'the worker backs off');
        await until(() => locksAreGone(admin), 'the locks of what is in hand have run out');
        assert.equal(said('no longer').length, 0);
      } finally {
        await end(admin);
      }
      await endsWithAllRows(fleet);
      assert.equal(await queue.getFailedCount(), 0);
      if (isLeft(state)) return;
      await until(() => said('no longer').length > 0, 'it is said that it is over');
      assert.equal(said('backing off').length, 1, 'said once, however many faults there were');
    }));
}

test('a Redis that stands still for longer than locks last loses no worker, though not one may be lost', (t) =>
  inMidRun(t, async ({ fleet, goOn, said }) => {
    const pid = await serverPid(fleet.redis.options.path!);
    process.kill(pid, 'SIGSTOP');
    try {
      // The fault itself: the server cannot be asked how it stands with the locks.
      await new Promise((resolve) => setTimeout(resolve, 3 * lockMs));
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await until(() => said('job lost its lock').length === 2, 'both jobs in hand lost their locks');
    goOn();
    await endsWithAllRows(fleet);
  }));
