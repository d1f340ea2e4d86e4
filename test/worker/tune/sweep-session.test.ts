import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fastest, sweepSession } from '../../../src/worker/tune/sweepSession.ts';

/** Sessions on a clock of their own: a batch takes what `msOf` says. */
function clocked(threads: readonly number[], msOf: (threads: number, batchSize: number) => number) {
  let ms = 0;
  const runs: string[] = [];
  const sessions = threads.map((of) => ({
    threads: of,
    async runBatch(batchSize: number) {
      ms += msOf(of, batchSize);
      runs.push(`${of} ${batchSize}`);
    },
  }));
  return { sessions, runs, now: () => ms };
}

test('larger batches are tried as long as they gain', async () => {
  // 10 ms a batch up to 8 images, then in proportion: from 8 on nothing is gained.
  const { sessions, now } = clocked([1], (_, batchSize) => 10 * Math.max(1, batchSize / 8));
  const trials = await sweepSession(sessions, 60_000, now);
  assert.deepEqual(
    trials.map(({ batchSize }) => batchSize),
    [1, 2, 4, 8, 16, 32],
  );
  assert.equal(fastest(trials).batchSize, 8);
});

test('of what is as fast within the noise, the smaller is taken', async () => {
  const { sessions, now } = clocked([2, 4], (_, batchSize) => 10 * batchSize * (batchSize > 1 ? 0.99 : 1));
  const { threads, batchSize } = fastest(await sweepSession(sessions, 60_000, now));
  assert.deepEqual([threads, batchSize], [2, 1]);
});

test('the best ones are measured again, in turns', async () => {
  const { sessions, runs, now } = clocked([1, 2], (threads, batchSize) => (400 * batchSize) / threads);
  const trials = await sweepSession(sessions, 60_000, now);
  assert.equal(fastest(trials).threads, 2);
  for (const { threads, rates } of trials) assert.equal(rates.length, threads === 2 ? 7 : 1);
  assert.deepEqual(runs.slice(-3), ['2 1', '2 2', '2 4']);
});

test('a slow session ends within its time: no run is begun that would not fit', async () => {
  const { sessions, runs, now } = clocked([1], (_, batchSize) => 1_000 * batchSize);
  const trials = await sweepSession(sessions, 5_000, now);
  assert.ok(now() <= 5_000, `${now()} ms: ${runs}`);
  assert.deepEqual(
    trials.map(({ batchSize }) => batchSize),
    [1, 2],
  );
});
