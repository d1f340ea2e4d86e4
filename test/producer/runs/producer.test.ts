import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Queue } from 'bullmq';
import { newRunId } from '../../../src/producer/producer.ts';
import { defineLabelSet } from '../../../src/shared/labels/labelSet.ts';
import type { ImageRef } from '../../../src/shared/refs/imageRef.ts';
import type { Row } from '../../../src/shared/rows/row.ts';
import { jobId, parseChunkJob } from '../../../src/shared/runs/chunkJob.ts';
import { type Fleet, startFleet } from '../../support/fleet.ts';
import { until } from '../../support/support.ts';

const about = {
  model: 'm@1:fp32',
  labelSet: defineLabelSet({ labels: ['fox', 'owl'] }),
  privateLane: '{lane}',
};

function refs(count: number, from = 0): ImageRef[] {
  return Array.from({ length: count }, (_, i) => ({ id: `${from + i}`, uri: `${from + i}.jpg` }));
}

function openLane(t: TestContext, { redis }: Fleet): Queue {
  const lane = new Queue(about.privateLane, { connection: redis, prefix: 'clipfleet' });
  t.after(() => lane.close());
  return lane;
}

/** The jobs of the lane in the order of their chunks, and the ids of the images each carries. */
async function chunksIn(lane: Queue): Promise<[number, string[]][]> {
  const jobs = await lane.getJobs(['waiting', 'prioritized', 'delayed']);
  return jobs
    .map(parseChunkJob)
    .map(({ chunk, images }): [number, string[]] => [chunk, images.map(({ id }) => id)])
    .sort(([a], [b]) => a - b);
}

async function jobOfChunk({ producer }: Fleet, lane: Queue, chunk: number) {
  return lane.getJob(jobId((await producer.runs.get('r'))!, String(chunk), 0));
}

async function finish({ producer }: Fleet, run: string, ...chunks: number[]): Promise<void> {
  for (const chunk of chunks) await producer.runs.finish(run, String(chunk));
}

function rowOf(id: string): Row {
  const place = { chunk: 0, index: 0 };
  const base = { id, uri: id, generation: 0, place, at: 1_767_225_600 };
  return { ...base, status: 'classified', predictions: [], fingerprint: 'f' };
}

test('images go in chunks of the size asked for, the last one as it comes out', async (t) => {
  const fleet = await startFleet(t);
  const lane = openLane(t, fleet);
  const open = await fleet.producer.openRun({ ...about, run: 'r' });
  assert.equal(await open.add(refs(10), { chunkSize: 4, attempts: 7 }), 10);
  assert.equal(await open.add(refs(1, 10)), 1);
  assert.deepEqual(await chunksIn(lane), [
    [0, ['0', '1', '2', '3']],
    [1, ['4', '5', '6', '7']],
    [2, ['8', '9']],
    [3, ['10']],
  ]);
  const { name, data, opts } = (await jobOfChunk(fleet, lane, 2))!;
  assert.deepEqual(data, { v: 1, images: ['8', '8.jpg', '9', '9.jpg'] });
  assert.deepEqual([name, opts.attempts], ['chunk', 7]);
  const { state, images, pending, chunks } = (await fleet.producer.runs.get('r'))!;
  assert.deepEqual({ state, images, pending, chunks }, { state: 'open', images: 11, pending: 11, chunks: 4 });
  for (const chunkSize of [0, 257, 1.5]) {
    await assert.rejects(open.add(refs(1), { chunkSize }), { code: 'USAGE' });
  }
  await open.seal();
  await assert.rejects(open.add(refs(1)), { code: 'RUN_SEALED' });
  await open.close();
});

test('above the high-water mark of its run the producer waits until rows are stored', async (t) => {
  const fleet = await startFleet(t);
  const lane = openLane(t, fleet);
  const open = await fleet.producer.openRun({ ...about, run: 'r' });
  let taken = 0;
  let added: number | undefined;
  function* source() {
    for (const ref of refs(12)) {
      taken++;
      yield ref;
    }
  }
  const adding = open.add(source(), { chunkSize: 2, highWater: 4 }).then((count) => {
    added = count;
  });
  await until(() => taken === 4, 'the mark is reached');
  // Another run's images are no reason to wait.
  const other = await fleet.producer.openRun({ ...about, run: 'other' });
  await other.add(refs(3), { chunkSize: 3 });
  await other.close();
  assert.equal(taken, 4);
  await finish(fleet, 'r', 0);
  await until(() => taken === 6, 'it goes on below the mark');
  const pending = async () => (await fleet.producer.runs.get('r'))?.pending;
  await until(async () => (await pending()) === 4, 'the next chunk is announced');
  assert.equal(added, undefined);
  for (let chunk = 1; chunk <= 5; chunk++) {
    await until(() => jobOfChunk(fleet, lane, chunk), `chunk ${chunk} is added`);
    await finish(fleet, 'r', chunk);
  }
  await adding;
  assert.equal(added, 12);
  await open.close();
});

test('a signal ends the adding at once with its reason, also where it waits; what was added stays', async (t) => {
  const fleet = await startFleet(t);
  const lane = openLane(t, fleet);
  const open = await fleet.producer.openRun({ ...about, run: 'r' });
  const controller = new AbortController();
  const reason = new Error('enough');
  async function* source() {
    yield* refs(8);
    await until(() => jobOfChunk(fleet, lane, 1), 'the second chunk is added');
    controller.abort(reason);
    yield* refs(100, 8);
  }
  const added: number[] = [];
  const onAdded = (images: number) => added.push(images);
  await assert.rejects(open.add(source(), { chunkSize: 4, signal: controller.signal, onAdded }), reason);
  assert.equal(
    added.reduce((sum, images) => sum + images),
    8,
  );

  const waiting = new AbortController();
  const adding = open.add(refs(8, 200), { chunkSize: 2, highWater: 9, signal: waiting.signal });
  await until(() => jobOfChunk(fleet, lane, 2), 'it waits above the mark');
  waiting.abort(reason);
  await assert.rejects(adding, reason);
  await open.close();
  assert.equal((await fleet.producer.runs.get('r'))?.images, 10);
});

test('a run that is continued passes over images with rows or in jobs, and takes new chunk numbers', async (t) => {
  const fleet = await startFleet(t);
  const lane = openLane(t, fleet);
  const first = await fleet.producer.openRun({ ...about, run: 'r' });
  await first.add(refs(4), { chunkSize: 2 });
  await first.seal();
  await first.close();
  await fleet.producer.store.putRows('r', [rowOf('0'), rowOf('1'), rowOf('4')]);
  await finish(fleet, 'r', 0);
  const again = await fleet.producer.openRun({ ...about, run: 'r' });
  assert.equal(await again.add(refs(6), { chunkSize: 2 }), 1);
  await again.close();
  assert.deepEqual((await chunksIn(lane)).slice(-2), [
    [1, ['2', '3']],
    [2, ['5']],
  ]);
  assert.equal((await fleet.producer.runs.get('r'))?.images, 5, 'no image is counted twice');
});

test('two producers may add to one run at the same time: no image of either is lost', async (t) => {
  const fleet = await startFleet(t);
  const lane = openLane(t, fleet);
  const [one, other] = await Promise.all([1, 2].map(() => fleet.producer.openRun({ ...about, run: 'r' })));
  await Promise.all([one!.add(refs(20), { chunkSize: 2 }), other!.add(refs(20, 100), { chunkSize: 2 })]);
  await Promise.all([one!.close(), other!.close()]);
  assert.equal((await fleet.producer.runs.get('r'))?.images, 40);
  const ids = (await chunksIn(lane)).flatMap(([, images]) => images);
  assert.equal(new Set(ids).size, 40);
});

test('a chunk that was announced but whose job never came to be is withdrawn when the run goes on', async (t) => {
  const fleet = await startFleet(t);
  const first = await fleet.producer.openRun({ ...about, run: 'r' });
  await first.add(refs(2), { chunkSize: 2 });
  // What a producer leaves behind that is killed between the two.
  await fleet.producer.runs.announce('r', 1, 2);
  await first.close();
  const again = await fleet.producer.openRun({ ...about, run: 'r' });
  await again.add(refs(2, 2), { chunkSize: 2 });
  await again.close();
  const pieces = (await fleet.producer.runs.pending('r')).map(({ piece }) => piece);
  assert.deepEqual(pieces, ['0', '2']);
  const { images, pending } = (await fleet.producer.runs.get('r'))!;
  assert.deepEqual({ images, pending }, { images: 4, pending: 4 });
});

test('equal label sets are stored once', async (t) => {
  const fleet = await startFleet(t);
  const template = 'This is a photo of {}.';
  for (const [run, input] of Object.entries({
    a: { labels: ['fox', 'owl'] },
    b: { labels: ['fox', 'owl'], temperature: 1, template },
    c: { labels: [{ label: 'fox' }, { label: 'owl', negative: false }] },
  })) {
    const open = await fleet.producer.openRun({ ...about, labelSet: defineLabelSet(input), run });
    await open.close();
  }
  assert.equal((await fleet.redis.keys('clipfleet:labelset:*')).length, 1);
  await fleet.producer.putLabelSet(defineLabelSet({ labels: ['owl', 'fox'] }));
  assert.equal(
    (await fleet.redis.keys('clipfleet:labelset:*')).length,
    2,
    'the order of labels is part of a set',
  );
});

test('run ids sort by time, fit the wire format, and are not given twice', () => {
  const ids = Array.from({ length: 100_000 }, newRunId);
  for (const id of ids) assert.match(id, /^\d{8}-\d{6}-[0-9a-z]{6}$/);
  assert.equal(new Set(ids).size, 100_000);
});
