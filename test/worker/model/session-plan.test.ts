// What a model is computed in: asked for, or as it is stored; and what the device has.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { toHalf } from '../../../src/shared/embeddings/half.ts';
import { startModel } from '../../../src/worker/model/loadModel.ts';
import { readModelFiles } from '../../../src/worker/model/model.ts';
import { planSession } from '../../../src/worker/model/sessionPlan.ts';
import { computesInHalf } from '../../../src/worker/session/devices.ts';
import { checkpointModel } from '../../support/checkpointGoldens.ts';
import { largestDifference } from '../../support/goldens.ts';
import { exportedModel } from '../../support/graphs.ts';
import { temporaryFolder } from '../../support/support.ts';

/** Makes a checkpoint's weights float16, its numbers without dimensions left as they are. */
async function halve(dir: string): Promise<void> {
  const path = join(dir, 'model.safetensors');
  const bytes = await readFile(path);
  const start = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.subarray(8, start).toString()) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const data: Buffer[] = [];
  let at = 0;
  for (const [name, tensor] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const [from, to] = tensor.data_offsets;
    let piece: Buffer = bytes.subarray(start + from, start + to);
    if (tensor.dtype === 'F32' && tensor.shape.length > 0) {
      const floats = new Float32Array(Uint8Array.from(piece).buffer);
      piece = Buffer.from(toHalf(floats).buffer);
      tensor.dtype = 'F16';
    }
    tensor.data_offsets = [at, at + piece.length];
    at += piece.length;
    data.push(piece);
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  await writeFile(path, Buffer.concat([length, text, ...data]));
}

const choice = async (t: TestContext) => ({
  device: 'cpu',
  threads: 1,
  batchSize: 2,
  cacheDir: await temporaryFolder(t),
});

test('a checkpoint wants float16 where it is stored in it, unless the user says otherwise', async (t) => {
  const dir = await checkpointModel(t, 'clip');
  const wants = async (dtype?: 'fp32' | 'fp16') => {
    const { wantsHalf, identity } = await readModelFiles({ dir, dtype });
    return [wantsHalf, identity.split(':')[1]];
  };
  assert.deepEqual(await Promise.all([wants(), wants('fp32'), wants('fp16')]), [
    [false, 'fp32'],
    [false, 'fp32'],
    [true, 'fp16'],
  ]);
  await halve(dir);
  assert.deepEqual(await Promise.all([wants(), wants('fp32'), wants('fp16')]), [
    [true, 'fp32'],
    [false, 'fp32'],
    [true, 'fp16'],
  ]);
  assert.equal((await readModelFiles({ dir: exportedModel })).wantsHalf, false, 'an export is what it is');
});

test('the CPU computes in float32 whatever is wanted; another device is asked', async (t) => {
  const files = await readModelFiles({ dir: await checkpointModel(t, 'clip'), dtype: 'fp16' });
  const plan = await planSession(files, await choice(t));
  assert.deepEqual([plan.dtype, plan.fingerprint], ['fp32', files.fingerprint]);
  assert.equal(await computesInHalf({ name: 'cpu', providers: ['cpu'] }), false);
  assert.equal(
    await computesInHalf({ name: 'cuda', providers: ['cpu'] }),
    true,
    'where the probe goes through',
  );
  assert.equal(await computesInHalf({ name: 'cuda', providers: ['none'] }), false);
});

test('a session in float16 gives other numbers, a little, and keeps the fingerprint of its plan', async (t) => {
  const files = await readModelFiles({ dir: await checkpointModel(t, 'clip'), dtype: 'fp16' });
  const plan = await planSession(files, await choice(t));
  const start = async (changes: object) => {
    const model = await startModel(files, { ...plan, ...changes }, {});
    t.after(() => model.session.close());
    return model;
  };
  const [full, half] = [await start({}), await start({ dtype: 'fp16', fingerprint: 'of halves' })];
  assert.deepEqual([full.fingerprint, half.fingerprint], [files.fingerprint, 'of halves']);
  const texts = async ({ session }: typeof full) => (await session.embedTexts(['an owl'])).embeddings;
  const off = largestDifference(await texts(full), await texts(half));
  assert.ok(off > 1e-6 && off < 5e-3, `off by ${off}`);
});
