import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchShapes } from '../../../src/worker/session/batchShapes.ts';
import { createImageBatches, isOutOfMemory } from '../../../src/worker/session/imageBatches.ts';

/** A device whose memory takes `fits` images; the embedding of an image is its first byte, twice. */
function device(fits = Number.POSITIVE_INFINITY) {
  const runs: number[][] = [];
  const run = async (pixels: Uint8Array, count: number) => {
    const first = Array.from({ length: count }, (_, i) => pixels[i * 4]!);
    runs.push(first);
    if (count > fits) throw new Error('CUDA failure 2: out of memory');
    return Float32Array.from(first.flatMap((value) => [value, value]));
  };
  return { runs, run };
}

const images = (count: number) => Uint8Array.from({ length: count * 4 }, (_, i) => (i >> 2) + 1);
const twice = (count: number) => Float32Array.from({ length: count * 2 }, (_, i) => (i >> 1) + 1);

test('the sizes a device plans for: few, and the full batch among them', () => {
  assert.deepEqual(batchShapes(64), [1, 4, 16, 64]);
  assert.deepEqual(batchShapes(48), [1, 4, 16, 48]);
  assert.deepEqual(batchShapes(17), [1, 4, 17]);
  assert.deepEqual(batchShapes(2), [1, 2]);
  assert.deepEqual(batchShapes(1), [1]);
  assert.deepEqual(batchShapes(1_024), [1, 4, 16, 64, 256, 1_024]);
  for (let size = 1; size <= 1_024; size++) {
    const shapes = batchShapes(size);
    assert.equal(shapes.at(-1), size);
    assert.ok(
      shapes.every((shape, i) => i === 0 || (shape >= 2 * shapes[i - 1]! && shape < 8 * shapes[i - 1]!)),
    );
  }
});

test('a batch is padded with its last image to the next size, and what the padding gives is cut', async () => {
  const { runs, run } = device();
  const batches = createImageBatches({ imageBytes: 4, shapes: [1, 4, 16], run });
  assert.deepEqual(await batches.embed(images(3), 3), twice(3));
  assert.deepEqual(runs, [[1, 2, 3, 3]]);
});

test('more than the largest size goes in several runs', async () => {
  const { runs, run } = device();
  const batches = createImageBatches({ imageBytes: 4, shapes: [1, 4], run });
  assert.deepEqual(await batches.embed(images(9), 9), twice(9));
  assert.deepEqual(runs, [[1, 2, 3, 4], [5, 6, 7, 8], [9]]);
});

test('out of memory: the next smaller size, remembered', async () => {
  const { runs, run } = device(5);
  const batches = createImageBatches({ imageBytes: 4, shapes: [1, 4, 16], run });
  assert.equal(batches.fitting(), undefined);
  assert.deepEqual(await batches.embed(images(6), 6), twice(6));
  assert.equal(batches.fitting(), 4);
  assert.deepEqual(
    runs.map(({ length }) => length),
    [16, 4, 4],
  );
  await batches.embed(images(6), 6);
  assert.equal(runs.length, 5, 'the size that does not fit is not tried again');
});

test('without sizes to keep to, batches are halved', async () => {
  const { runs, run } = device(5);
  const batches = createImageBatches({ imageBytes: 4, shapes: undefined, run });
  assert.deepEqual(await batches.embed(images(12), 12), twice(12));
  assert.deepEqual(
    runs.map(({ length }) => length),
    [12, 6, 3, 3, 3, 3],
  );
});

test('where nothing fits any more, half of what was asked is remembered, and all sizes were tried', async () => {
  const { runs, run } = device(0);
  const batches = createImageBatches({ imageBytes: 4, shapes: undefined, run });
  await assert.rejects(batches.embed(images(8), 8), /out of memory/);
  assert.deepEqual(
    runs.map(({ length }) => length),
    [8, 4, 2, 1],
  );
  assert.equal(batches.fitting(), 4);
});

test('one image that does not fit fails, and another failure is not tried again', async () => {
  const none = device(0);
  const { embed } = createImageBatches({ imageBytes: 4, shapes: undefined, run: none.run });
  await assert.rejects(embed(images(4), 4), /out of memory/);
  assert.deepEqual(
    none.runs.map(({ length }) => length),
    [4, 2, 1],
  );
  let runs = 0;
  const run = async () => {
    runs++;
    throw new Error('Got invalid dimensions');
  };
  await assert.rejects(createImageBatches({ imageBytes: 4, shapes: undefined, run }).embed(images(4), 4));
  assert.equal(runs, 1);
});

test('what providers say when there is no memory is understood', () => {
  for (const message of [
    'Failed to allocate memory for requested buffer of size 274877906944',
    'bfc_arena.cc:376 void* onnxruntime::BFCArena::AllocateRawInternal(size_t) Available memory of 0 is smaller than requested',
    'std::bad_alloc',
    'CUDA failure 2: out of memory ; GPU=0',
    'CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED',
    'CUDNN_STATUS_ALLOC_FAILED',
    '8007000E Not enough memory resources are available to complete this operation.',
    'vkAllocateMemory failed with VK_ERROR_OUT_OF_DEVICE_MEMORY',
    'Array buffer allocation failed',
  ]) {
    assert.ok(isOutOfMemory(new Error(message)), message);
  }
  assert.ok(!isOutOfMemory(new Error('Got invalid dimensions for input: pixel_values')));
});
