import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Stage } from '../../../src/shared/fleet/servingWorkers.ts';
import { createBatcher } from '../../../src/worker/pipeline/batcher.ts';
import { createStageTimes } from '../../../src/worker/pipeline/stageTimes.ts';

const limits = { batchSize: 4, decoders: 2, imagesInFlight: 10 };

/** A clock that stands until it is moved, and an event loop of which is known how much it is at work. */
function clockedTimes(loopUse = 0) {
  let ms = 1_000;
  const times = createStageTimes(
    limits,
    () => ms,
    () => loopUse,
  );
  return {
    times,
    pass(by: number) {
      ms += by;
    },
  };
}

test('a stage has its images, their mean time, its busy share, and how many are in it at once', () => {
  const { times, pass } = clockedTimes();
  const first = times.begin('decode');
  pass(10);
  const second = times.begin('decode');
  pass(20);
  times.end('decode', first);
  times.end('decode', second);
  pass(70);
  const { decode } = times.takeReport().stages;
  assert.deepEqual(decode, { images: 2, meanMs: 25, busy: 0.3, atOnce: 0.5 });
});

test('what outlasts a window counts in each for the time it was under way', () => {
  const { times, pass } = clockedTimes();
  pass(50);
  const begunAt = times.begin('fetch');
  pass(50);
  const first = times.takeReport().stages.fetch;
  assert.deepEqual([first.images, first.busy], [0, 0.5]);
  pass(100);
  assert.equal(times.takeReport().stages.fetch.busy, 1);
  pass(25);
  times.end('fetch', begunAt);
  pass(75);
  const last = times.takeReport().stages.fetch;
  assert.deepEqual([last.images, last.busy, last.meanMs], [1, 0.25, 175]);
});

test('rate and fill come from the batches, several images of a call count each', () => {
  const { times, pass } = clockedTimes();
  for (const images of [4, 2]) {
    const begunAt = times.begin('inference', images);
    pass(250);
    times.end('inference', begunAt, images);
  }
  const { images, imagesPerSecond, batches, fill, stages } = times.takeReport();
  assert.deepEqual([images, imagesPerSecond, batches, fill], [6, 12, 2, 0.75]);
  assert.equal(stages.inference.meanMs, 250);
});

test('the bottleneck is what is most used of what there is of it, and idle where nothing is used half', () => {
  const bottleneckWith = (inside: [Stage, number][], loopUse = 0) => {
    const { times, pass } = clockedTimes(loopUse);
    for (const [stage, images] of inside) times.begin(stage, images);
    pass(100);
    return times.takeReport().bottleneck;
  };
  assert.equal(bottleneckWith([]), 'idle');
  assert.equal(bottleneckWith([['fetch', 4]]), 'idle', '4 of 10 images in flight');
  assert.equal(bottleneckWith([['fetch', 6]]), 'fetch');
  assert.equal(bottleneckWith([['store', 6]]), 'store');
  assert.equal(bottleneckWith([['decode', 1]]), 'decode', '1 of 2 decoders');
  assert.equal(bottleneckWith([['decode', 1]], 0.6), 'event loop', 'which is used more');
  assert.equal(bottleneckWith([], 0.4), 'idle');
  assert.equal(bottleneckWith([['score', 1]]), 'score');
  assert.equal(
    bottleneckWith([
      ['decode', 1],
      ['fetch', 6],
      ['inference', 4],
      ['wait', 10],
    ]),
    'session',
  );
});

test('work is timed whether it succeeds or not, and its answer and error go through', async () => {
  const { times, pass } = clockedTimes();
  const half = times.timed('score', (value: number) => {
    pass(10);
    if (value % 2 !== 0) throw new Error('odd');
    return value / 2;
  });
  assert.equal(await half(8), 4);
  await assert.rejects(half(3), /odd/);
  const { score } = times.takeReport().stages;
  assert.deepEqual([score.images, score.meanMs], [2, 10]);
});

test('an image waits until its batch has its turn, also behind a running one', async () => {
  const { times, pass } = clockedTimes();
  const ends: (() => void)[] = [];
  const run = (_: Uint8Array, count: number) =>
    new Promise<Float32Array>((resolve) => ends.push(() => resolve(new Float32Array(count))));
  const batcher = createBatcher({ batchSize: 2, imageBytes: 1, run, times });
  const images = Array.from({ length: 3 }, () => batcher.embedImage(new Uint8Array(1)));
  assert.equal(ends.length, 2, 'the second batch stands behind the first');
  pass(100);
  ends[0]!();
  await images[0];
  pass(40);
  ends[1]!();
  await Promise.all(images);
  const { wait, inference } = times.takeReport().stages;
  assert.deepEqual([wait.images, wait.meanMs], [3, 200 / 3]);
  assert.deepEqual([inference.images, inference.meanMs, inference.busy], [3, 60, 1]);
});

test('the event loop’s use is measured over each window', async () => {
  const times = createStageTimes(limits);
  const startedAt = performance.now();
  while (performance.now() - startedAt < 20);
  await new Promise<void>((resolve) => setImmediate(resolve));
  const busy = times.takeReport().eventLoop;
  await new Promise((resolve) => setTimeout(resolve, 20));
  const waiting = times.takeReport().eventLoop;
  assert.ok(busy > waiting, `${busy} at work, ${waiting} waiting for a timer`);
});
