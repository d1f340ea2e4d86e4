import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { toHalf } from '../../../src/shared/embeddings/half.ts';
import { withFileRanges } from '../../../src/worker/checkpoint/checkpointWeights.ts';
import { readModelFiles } from '../../../src/worker/model/model.ts';
import { readSafetensorsScale } from '../../../src/worker/model/safetensorsScale.ts';
import { openDevice } from '../../../src/worker/session/devices.ts';
import { startSession } from '../../../src/worker/session/session.ts';
import { solveScale } from '../../../src/worker/session/solveScale.ts';
import { checkpointFolder } from '../../support/checkpointGoldens.ts';
import { exportedModel } from '../../support/graphs.ts';

// Unit texts whose cosines with the image are the numbers themselves.
const image = Float32Array.of(1, 0);
const cosines = [0.1, 0.15, 0.22, 0.27, 0.31, 0.05];
const texts = Float32Array.from(cosines.flatMap((cosine) => [cosine, Math.sqrt(1 - cosine ** 2)]));
const solve = (logitOf: (cosine: number, i: number) => number) =>
  solveScale(image, texts, Float32Array.from(cosines, logitOf));

test('the scale of CLIP, without a bias', () => {
  const { logitScale, logitBias } = solve((cosine) => 100 * cosine);
  assert.ok(Math.abs(logitScale - 100) < 1e-3, `${logitScale}`);
  assert.equal(logitBias, 0);
});

test('the scale and the bias of SigLIP', () => {
  const { logitScale, logitBias } = solve((cosine) => 117.33 * cosine - 12.93);
  assert.ok(Math.abs(logitScale - 117.33) < 1e-3, `${logitScale}`);
  assert.ok(Math.abs(logitBias + 12.93) < 1e-3, `${logitBias}`);
});

test('noise of half precision moves the scale little', () => {
  const { logitScale, logitBias } = solve((cosine, i) => 100 * cosine + (i % 2 === 0 ? 0.01 : -0.01));
  assert.ok(Math.abs(logitScale - 100) < 0.1, `${logitScale}`);
  assert.equal(logitBias, 0);
});

test('points that are on no rising line tell no scale', () => {
  const wrong = [(c: number) => 100 * c * c, (c: number) => -100 * c, () => 3, () => Number.NaN];
  for (const logitOf of wrong) assert.throws(() => solve(logitOf), { code: 'MODEL_SCALE_UNKNOWN' });
});

/** A checkpoint in safetensors, with a tensor before the ones that are looked for. */
function checkpoint(tensors: Record<string, { dtype: string; bytes: Buffer }>) {
  const all = { weight: { dtype: 'F32', bytes: Buffer.alloc(12, 7) }, ...tensors };
  let end = 0;
  const entries = Object.entries(all).map(([name, { dtype, bytes }]) => {
    const from = end;
    end += bytes.length;
    const shape = name === 'weight' ? [3] : [];
    return [name, { dtype, shape, data_offsets: [from, end] }];
  });
  const header = Buffer.from(
    JSON.stringify({ __metadata__: { format: 'pt' }, ...Object.fromEntries(entries) }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const file = Buffer.concat([length, header, ...Object.values(all).map(({ bytes }) => bytes)]);
  return (start: number, bytes: number) =>
    Promise.resolve(new Uint8Array(file.subarray(start, start + bytes)));
}

const float = (value: number) => Buffer.from(Float32Array.of(value).buffer);
const logarithm = 4.625;

test('a checkpoint gives its scale in each number format', async () => {
  const bytes: Record<string, Buffer> = {
    F64: Buffer.from(Float64Array.of(logarithm).buffer),
    F32: float(logarithm),
    F16: Buffer.from(toHalf(Float32Array.of(logarithm)).buffer),
    BF16: float(logarithm).subarray(2),
  };
  for (const [dtype, value] of Object.entries(bytes)) {
    const read = checkpoint({ logit_scale: { dtype, bytes: value } });
    assert.deepEqual(
      await readSafetensorsScale(read, 'a test'),
      { logitScale: Math.exp(logarithm), logitBias: 0 },
      dtype,
    );
  }
  const read = checkpoint({
    logit_scale: { dtype: 'F32', bytes: float(logarithm) },
    logit_bias: { dtype: 'F32', bytes: float(-12.5) },
  });
  assert.equal((await readSafetensorsScale(read, 'a test'))?.logitBias, -12.5);
});

test('a checkpoint without a scale, or in a format not known, gives none', async () => {
  assert.equal(await readSafetensorsScale(checkpoint({}), 'a test'), undefined);
  const integer = checkpoint({ logit_scale: { dtype: 'I8', bytes: Buffer.of(4) } });
  assert.equal(await readSafetensorsScale(integer, 'a test'), undefined);
});

test('a model’s checkpoint and its joint graph say the same', async (t) => {
  const scale = await withFileRanges(join(checkpointFolder, 'clip/model.safetensors'), (read) =>
    readSafetensorsScale(read, 'the checkpoint'),
  );
  const { towers, joint, preprocessing } = await readModelFiles({ dir: exportedModel, dtype: 'fp32' });
  const how = { device: await openDevice('cpu'), threads: 1, batchSize: 1 };
  const session = await startSession({ ...towers, preprocessing, ...how, solveScaleFrom: joint });
  t.after(() => session.close());
  const relative = session.solvedScale!.logitScale / scale!.logitScale - 1;
  assert.ok(Math.abs(relative) < 1e-3, `${scale?.logitScale}, ${session.solvedScale?.logitScale}`);
  assert.deepEqual([scale?.logitBias, session.solvedScale?.logitBias], [0, 0]);
});
