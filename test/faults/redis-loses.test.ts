// Redis comes back without the end of its log, or with nothing, while a producer and a worker know more.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Queue } from 'bullmq';
import { createProducer, type Producer } from '../../src/producer/producer.ts';
import type { OpenRun } from '../../src/producer/runs/openRun.ts';
import { defineLabelSet } from '../../src/shared/labels/labelSet.ts';
import { connectRedis } from '../../src/shared/redis/redis.ts';
import type { ImageRef } from '../../src/shared/refs/imageRef.ts';
import type { Row } from '../../src/shared/rows/row.ts';
import { model } from '../support/heart.ts';
import { type RedisServer, startRedisServer } from '../support/redisServer.ts';

const labelSet = defineLabelSet({ labels: ['fox', 'owl'] });
const lane = '{lane}';
const about = { model, labelSet, run: 'r', privateLane: lane };
const how = { chunkSize: 4 };

interface Scene {
  server: RedisServer;
  producer: Producer;
  queue: Queue;
  /** Names of the keys of runs that Redis has. */
  runKeys(): Promise<string[]>;
}

async function startScene(t: TestContext): Promise<Scene> {
  const server = await startRedisServer(t);
  const redis = await connectRedis({ url: server.url });
  redis.on('error', () => {});
  const queue = new Queue(lane, { connection: redis, prefix: 'clipfleet' });
  queue.on('error', () => {});
  t.after(async () => {
    await queue.close();
    redis.disconnect();
  });
  const runKeys = async () =>
    (await redis.keys('clipfleet:*')).filter((key) => /\{r(\.\d)?\}/.test(key)).sort();
  return { server, producer: createProducer({ redis }), queue, runKeys };
}

function refs(count: number, from = 0): ImageRef[] {
  return Array.from({ length: count }, (_, i) => ({ id: `${from + i}`, uri: `${from + i}.jpg` }));
}

function rowOf(id: string, index: number): Row {
  const base = { id, uri: id, generation: 0, place: { chunk: 0, index: 0 }, at: 1_767_225_600 };
  return { ...base, status: 'classified', predictions: [{ index, score: 0.5 }], fingerprint: 'f' };
}

/** The ids of images that wait in jobs, in order. */
async function waitingIn(queue: Queue): Promise<string[]> {
  const jobs = await queue.getJobs(['waiting', 'prioritized', 'delayed']);
  const ids = jobs.flatMap(({ data }) => (data.images as string[]).filter((_, i) => i % 2 === 0));
  return ids.sort((a, b) => Number(a) - Number(b));
}

async function addsAgain({ producer, queue }: Scene, run: OpenRun, count: number): Promise<void> {
  await run.add(refs(count), how);
  await run.seal();
  assert.equal(await run.confirm(), 0);
  assert.deepEqual(
    await waitingIn(queue),
    refs(count).map(({ id }) => id),
  );
  const { images, pending, state } = (await producer.runs.get('r'))!;
  assert.deepEqual({ images, pending, state }, { images: count, pending: count, state: 'sealed' });
}

test('a log that lost its end after the run was sealed: what is missing is noticed, and added again', async (t) => {
  const scene = await startScene(t);
  const { server, producer } = scene;
  const run = await producer.openRun(about);
  await run.add(refs(20), how);
  const logBytes = await server.logBytes();
  await run.add(refs(20, 20), how);
  await run.seal();
  await server.loseFrom(logBytes);
  assert.equal(await run.confirm(), 20);
  await addsAgain(scene, run, 40);
  await run.close();
});

test('a log that lost its end while images were added: no number stands for two chunks', async (t) => {
  const scene = await startScene(t);
  const { server, producer, queue } = scene;
  const run = await producer.openRun(about);
  await run.add(refs(8), how);
  const logBytes = await server.logBytes();
  await run.add(refs(8, 8), how);
  await server.loseFrom(logBytes);
  await run.add(refs(8, 16), how);
  const numbers = (await queue.getJobs(['waiting'])).map(({ id }) => Number(id!.split('.')[1]));
  assert.deepEqual(numbers.sort(), [0, 1, 4, 5]);
  await run.seal();
  assert.equal(await run.confirm(), 8);
  await addsAgain(scene, run, 24);
  await run.close();
});

test('a log that lost the seal alone: the run is sealed again', async (t) => {
  const scene = await startScene(t);
  const { server, producer } = scene;
  const run = await producer.openRun(about);
  await run.add(refs(8), how);
  const logBytes = await server.logBytes();
  await run.seal();
  await server.loseFrom(logBytes);
  assert.equal(await run.confirm(), 0);
  assert.equal((await producer.runs.get('r'))?.state, 'sealed');
  await run.close();
});

test('jobs that are gone though their chunks are announced are missing', async (t) => {
  const scene = await startScene(t);
  const run = await scene.producer.openRun(about);
  await run.add(refs(12), how);
  await run.seal();
  await (await scene.queue.getJobs(['waiting']))[0]!.remove();
  assert.equal(await run.confirm(), 4);
  await addsAgain(scene, run, 12);
  await run.close();
});

test('a Redis that came back empty: the producer says so and writes nothing into it', async (t) => {
  const { server, producer, runKeys } = await startScene(t);
  const run = await producer.openRun(about);
  await run.add(refs(8), how);
  await server.loseAll();
  await assert.rejects(run.add(refs(8, 8), how), { code: 'RUN_LOST' });
  await assert.rejects(run.seal(), { code: 'RUN_LOST' });
  await assert.rejects(run.confirm(), { code: 'RUN_LOST' });
  await assert.rejects(producer.control.pause('r', 'by hand'), { code: 'RUN_UNKNOWN' });
  await producer.runs.warn('r', 'LABEL_TRUNCATED');
  assert.deepEqual(await runKeys(), []);
  await run.close();
});

test('what a worker of the lost run still says is not taken for the run that has its id', async (t) => {
  const { server, producer, runKeys } = await startScene(t);
  const { runs, store } = producer;
  await (await producer.openRun(about)).close();
  const lost = (await runs.get('r'))!;
  await server.loseAll();
  await store.putRows(lost, [rowOf('a', 0)]);
  assert.equal((await store.find('r', ['a'])).size, 0);
  assert.deepEqual(await runKeys(), []);
  // A program that names no birth has written in between.
  await store.putRows('r', [rowOf('b', 0)]);

  await (await producer.openRun(about)).close();
  const record = (await runs.get('r'))!;
  assert.notEqual(record.birth, lost.birth);
  assert.deepEqual(await store.counts('r'), { classified: 0, failed: 0, failures: {} });
  await runs.announce(record, 0, 2);
  await store.putRows(lost, [rowOf('a', 0)]);
  assert.equal((await store.find('r', ['a'])).size, 0);
  const hold = { worker: 'w', alone: false };
  assert.equal((await runs.begin(lost, '0', 2, hold)).kind, 'unknown');
  assert.equal(await runs.split(lost, 0, [1]), 0);
  assert.equal(await runs.divide(lost, '0', [1]), 0);
  await runs.finish(lost, '0', true);
  await runs.withdraw(lost, '0', 0);
  await assert.rejects(runs.announce(lost, 1, 2), { code: 'RUN_UNKNOWN' });
  await assert.rejects(runs.reserveChunks(lost, 1), { code: 'RUN_UNKNOWN' });
  const { images, pending, chunks } = (await runs.get('r'))!;
  assert.deepEqual({ images, pending, chunks }, { images: 2, pending: 2, chunks: 1 });

  assert.equal((await runs.begin(record, '0', 2, hold)).kind, 'work');
  await store.putRows(record, [rowOf('a', 1)]);
  assert.equal((await store.find('r', ['a'])).size, 1);
  await runs.release(lost, '0');
  assert.equal(await runs.active('r'), 2);
  await runs.finish(record, '0');
  assert.equal((await runs.get('r'))!.pending, 0);
});

test('a run whose opener was cut off before it said so to the rows takes rows all the same', async (t) => {
  const { producer } = await startScene(t);
  const record = await producer.runs.open({ run: 'r', model, labelSet: 'l', lane });
  await producer.store.putRows(record, [rowOf('a', 0)]);
  assert.equal((await producer.store.find('r', ['a'])).size, 1);
});
