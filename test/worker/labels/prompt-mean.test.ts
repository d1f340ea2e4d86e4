import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildLabelMatrix } from '../../../src/worker/labels/labelMatrix.ts';
import { unit } from '../../../src/worker/onnx/vectors.ts';

test('the label matrix is the mean of unit vectors, made unit: the length of a prompt embedding has no say', () => {
  // Unit (1, 0) and (0, 1) have the mean (0.5, 0.5); the mean of the raw vectors would lean to the longer one.
  const { data } = buildLabelMatrix(Float32Array.of(9, 0, 0, 1, 3, 4), [2, 1], 2);
  const half = Math.fround(Math.SQRT1_2);
  assert.deepEqual([...data], [half, half, Math.fround(0.6), Math.fround(0.8)]);
});

test('the label matrix has rows of length 1', () => {
  const prompts = Float32Array.from({ length: 30 * 16 }, (_, index) => 5 * Math.sin(index));
  const { data, labels: count } = buildLabelMatrix(prompts, [1, 20, 9], 16);
  assert.equal(count, 3);
  for (const row of [0, 1, 2]) {
    const squares = data.subarray(row * 16, (row + 1) * 16).reduce((sum, value) => sum + value * value, 0);
    assert.ok(Math.abs(squares - 1) < 1e-6);
  }
});

test('the label matrix refuses embeddings without a direction', () => {
  assert.throws(() => unit(Float32Array.of(0, 0)), { code: 'INFERENCE_FAILED' });
  assert.throws(() => unit(Float32Array.of(Number.NaN, 0)), { code: 'INFERENCE_FAILED' });
  assert.throws(() => buildLabelMatrix(Float32Array.of(1, 0, 0, 0), [2], 2), { code: 'INFERENCE_FAILED' });
});

test('the label matrix refuses sizes that do not belong together', () => {
  assert.throws(() => buildLabelMatrix(Float32Array.of(1, 0, 0), [1, 1], 2), { code: 'INTERNAL' });
  assert.throws(() => buildLabelMatrix(Float32Array.of(1, 0), [1, 0], 2), { code: 'INTERNAL' });
});
