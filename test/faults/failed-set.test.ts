// What a worker does about jobs that BullMQ has failed: each case as it stands in the failed set.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { encodeChunkJob } from '../../src/shared/runs/chunkJob.ts';
import { startFleet } from '../support/fleet.ts';
import { refs } from '../support/heart.ts';
import { addRun, keepLog, openLaneHere, openTestQueue } from '../support/laneInProcess.ts';
import { until } from '../support/support.ts';

/** Puts a job into the failed set, as it is when BullMQ has failed it. */
async function addFailed(
  queue: Queue,
  redis: Redis,
  id: string,
  data: unknown,
  fields: object,
): Promise<void> {
  await redis.hset(queue.toKey(id), {
    ...{ name: 'chunk', data: JSON.stringify(data), opts: '{"attempts":1}', timestamp: 1, delay: 0 },
    ...{ priority: 0, atm: 1, finishedOn: 1, ...fields },
  });
  await redis.zadd(queue.toKey('failed'), 1, id);
}

/** How often a command was called on the server. */
async function callsOf(redis: Redis, command: string): Promise<number> {
  const stats = await redis.info('commandstats');
  return Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm').exec(stats)?.[1] ?? 0);
}

test('a failed job whose locks ran out or that Redis failed goes on, a bug is named', async (t) => {
  const fleet = await startFleet(t);
  const { redis, producer } = fleet;
  const queue = openTestQueue(t, fleet);
  await addRun(fleet, 12);
  await queue.obliterate({ force: true });
  const chunk = (n: number) => encodeChunkJob(refs(...[0, 1, 2, 3].map((i) => `i${4 * n + i}`)));
  const stalled = 'job stalled more than allowable limit';
  await addFailed(queue, redis, 'r.0.0', chunk(0), { failedReason: stalled, stc: 7 });
  await addFailed(queue, redis, 'r.1.0', chunk(1), {
    failedReason: 'OOM command not allowed when used memory',
  });
  await addFailed(queue, redis, 'r.2.0', chunk(2), { failedReason: 'x is not a function' });
  const { log } = keepLog();
  const lane = openLaneHere(fleet, { log, lockMs: 200 });
  try {
    await until(async () => (await producer.runs.get('r'))?.state === 'complete', 'the run is complete');
  } finally {
    await lane.close();
  }
  assert.deepEqual(await producer.store.counts('r'), {
    ...{ classified: 8, failed: 4, failures: { INTERNAL: 4 } },
  });
  const failed = (await fleet.rows('r')).flatMap((row) => (row.status === 'failed' ? [row] : []));
  assert.match(failed.find(({ id }) => id === 'i8')!.error.message, /x is not a function/);
});

test('junk in the failed set is read once, named where it cannot be read, and costs an idle worker nothing', async (t) => {
  const fleet = await startFleet(t);
  const { redis } = fleet;
  const queue = openTestQueue(t, fleet);
  const JUNK = 2_500;
  const pipeline = redis.pipeline();
  for (let i = 0; i < JUNK; i++) {
    pipeline.hset(queue.toKey(`junk-${i}`), {
      name: 'x',
      data: '{}',
      opts: '{}',
      timestamp: 1,
      finishedOn: 1,
    });
    pipeline.zadd(queue.toKey('failed'), i, `junk-${i}`);
  }
  pipeline.hset(queue.toKey('broken'), { name: 'x', data: 'no JSON', opts: '{}', timestamp: 1 });
  pipeline.zadd(queue.toKey('failed'), JUNK, 'broken');
  await pipeline.exec();
  const { log, lines } = keepLog();
  const lane = openLaneHere(fleet, { log, lockMs: 50 });
  try {
    const looks = () => callsOf(redis, 'zcard');
    await until(async () => (await callsOf(redis, 'hgetall')) > JUNK, 'all were read');
    const from = await looks();
    await until(async () => (await looks()) > from + 2, 'the set was looked at again');
    const read = await callsOf(redis, 'hgetall');
    const later = await looks();
    await until(async () => (await looks()) > later + 10, 'it was looked at ten times more');
    assert.equal(await callsOf(redis, 'hgetall'), read, 'and none of it was read again');

    await addFailed(queue, redis, 'new', {}, {});
    await until(async () => (await callsOf(redis, 'hgetall')) === read + 1, 'what is new is read');
  } finally {
    await lane.close();
  }
  const named = lines.filter(({ text }) => text.startsWith('failed job unreadable'));
  assert.deepEqual(
    named.map(({ about }) => about.job),
    ['broken'],
  );
});
