import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBatcher } from '../../../src/worker/pipeline/batcher.ts';

/** A session of which the test decides when each run ends; the embedding of an image is its first byte. */
function gatedSession() {
  const runs: { count: number; first: number[]; end(): void; fail(error: Error): void }[] = [];
  const run = (pixels: Uint8Array, count: number) =>
    new Promise<Float32Array>((resolve, reject) => {
      const first = Array.from({ length: count }, (_, i) => pixels[i * 4]!);
      runs.push({ count, first, end: () => resolve(Float32Array.from(first)), fail: reject });
    });
  return { runs, run };
}

const image = (value: number) => Uint8Array.of(value, 0, 0, 0);
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

test('an idle session gets an image at once, and each caller its own embedding', async () => {
  const { runs, run } = gatedSession();
  const batcher = createBatcher({ batchSize: 4, imageBytes: 4, run });
  const alone = batcher.embedImage(image(7));
  assert.deepEqual(
    runs.map(({ first }) => first),
    [[7]],
  );
  const later = [1, 2, 3].map((value) => batcher.embedImage(image(value)));
  assert.equal(runs.length, 1, 'less than a full batch gathers behind the running one');
  runs[0]!.end();
  assert.deepEqual([...(await alone)], [7]);
  await settled();
  assert.deepEqual(runs[1]!.first, [1, 2, 3]);
  runs[1]!.end();
  assert.deepEqual(
    (await Promise.all(later)).map(([value]) => value),
    [1, 2, 3],
  );
});

test('exactly one full batch is queued behind the running one', () => {
  const { runs, run } = gatedSession();
  const batcher = createBatcher({ batchSize: 2, imageBytes: 4, run });
  for (let value = 0; value < 9; value++) void batcher.embedImage(image(value));
  assert.deepEqual(
    runs.map(({ first }) => first),
    [[0], [1, 2]],
  );
});

test('an urgent image goes before all that wait', async () => {
  const { runs, run } = gatedSession();
  const batcher = createBatcher({ batchSize: 3, imageBytes: 4, run });
  void batcher.embedImage(image(0));
  for (const value of [1, 2]) void batcher.embedImage(image(value));
  void batcher.embedImage(image(9), true);
  void batcher.embedImage(image(3));
  runs[0]!.end();
  await settled();
  assert.deepEqual(runs[1]!.first, [9, 1, 2]);
});

test('a batch that fails rejects each of its images, and the next batch runs', async () => {
  const { runs, run } = gatedSession();
  const batcher = createBatcher({ batchSize: 2, imageBytes: 4, run });
  const first = batcher.embedImage(image(0));
  const rest = [1, 2].map((value) => batcher.embedImage(image(value)));
  runs[0]!.fail(new Error('out of memory'));
  await assert.rejects(first, /out of memory/);
  runs[1]!.end();
  assert.deepEqual(
    (await Promise.all(rest)).map(([value]) => value),
    [1, 2],
  );
});

test('pixels of another size are refused before they shift their batch', async () => {
  const { runs, run } = gatedSession();
  const batcher = createBatcher({ batchSize: 2, imageBytes: 4, run });
  await assert.rejects(batcher.embedImage(new Uint8Array(5)), { code: 'INTERNAL' });
  assert.equal(runs.length, 0);
});

test('after a limit no batch is larger, and a batch of that size counts as full', () => {
  const { runs, run } = gatedSession();
  const batcher = createBatcher({ batchSize: 4, imageBytes: 4, run });
  batcher.limitTo(2);
  batcher.limitTo(3);
  for (let value = 0; value < 9; value++) void batcher.embedImage(image(value));
  assert.deepEqual(
    runs.map(({ first }) => first),
    [[0], [1, 2]],
  );
});
