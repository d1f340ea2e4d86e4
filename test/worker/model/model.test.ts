import assert from 'node:assert/strict';
import { appendFile, copyFile, cp, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readModelFiles } from '../../../src/worker/model/model.ts';
import type { Dtype } from '../../../src/worker/onnx/dtype.ts';
import { startOnCpu } from '../../support/cpuModel.ts';
import { demoModel } from '../../support/fleet.ts';
import { temporaryFolder } from '../../support/support.ts';

const small = ['config.json', 'preprocessor_config.json', 'tokenizer.json', 'tokenizer_config.json'];
const towers = ['vision_model.onnx', 'text_model.onnx'];

/** The demo model's small files and the graphs named, in a folder called demo that the test may change. */
async function copyDemo(t: TestContext, graphs = towers): Promise<string> {
  const dir = join(await temporaryFolder(t), 'demo');
  await mkdir(join(dir, 'onnx'), { recursive: true });
  for (const name of small) await copyFile(join(demoModel, name), join(dir, name));
  for (const name of graphs) await copyFile(join(demoModel, 'onnx', name), join(dir, 'onnx', name));
  return dir;
}

const read = (dir: string, dtype: Dtype = 'fp32') => readModelFiles({ dir, dtype });

test('the same files have the same identity wherever they lie', async (t) => {
  const here = await read(demoModel);
  assert.match(here.identity, /^demo@[0-9a-f]{12}:fp32$/);
  const dir = await copyDemo(t);
  const link = join(await temporaryFolder(t), 'linked');
  await symlink(dir, link);
  for (const place of [demoModel, dir, link]) {
    const { identity, fingerprint } = await read(place);
    assert.deepEqual([identity, fingerprint], [here.identity, here.fingerprint], basename(place));
  }
});

test('another name is another identity of the same fingerprint', async (t) => {
  const dir = await copyDemo(t);
  const other = join(dir, '../my demo@home');
  await rename(dir, other);
  const [here, there] = await Promise.all([read(demoModel), read(other)]);
  assert.equal(there.fingerprint, here.fingerprint);
  assert.equal(there.identity, here.identity.replace('demo@', 'my-demo-home@'));
});

test('each file that decides on embeddings is in the fingerprint, the checkpoint beside them is not', async (t) => {
  const { fingerprint } = await read(demoModel);
  for (const name of ['onnx/vision_model.onnx', 'onnx/text_model.onnx', small[1]!, small[2]!]) {
    const dir = await copyDemo(t);
    await appendFile(join(dir, name), '\n');
    assert.notEqual((await read(dir)).fingerprint, fingerprint, name);
  }
  const dir = await copyDemo(t);
  await appendFile(join(dir, 'model.safetensors'), 'anything');
  assert.equal((await read(dir)).fingerprint, fingerprint);
  await appendFile(join(dir, 'onnx/vision_model.onnx_data'), 'weights');
  assert.notEqual((await read(dir)).fingerprint, fingerprint, 'weights beside their graph');
});

test('a dtype that is not there is refused with those that are', async (t) => {
  const dir = await copyDemo(t);
  await copyFile(join(demoModel, 'onnx/model.onnx'), join(dir, 'onnx/model_quantized.onnx'));
  await copyFile(join(demoModel, 'onnx/vision_model.onnx'), join(dir, 'onnx/vision_model_q4.onnx'));
  await assert.rejects(read(dir, 'fp16'), { code: 'MODEL_NOT_FOUND', message: /got fp32, q8\. .*--dtype/ });
  await copyFile(join(demoModel, 'onnx/text_model.onnx'), join(dir, 'onnx/text_model_int8.onnx'));
  for (const oneTower of ['q4', 'int8'] as const) {
    await assert.rejects(read(dir, oneTower), { code: 'MODEL_NOT_FOUND' }, 'one tower alone is no model');
  }
  const { graphs } = await read(dir, 'q8');
  assert.deepEqual(graphs, { joint: join(dir, 'onnx/model_quantized.onnx') });
});

test('a family that is neither CLIP nor SigLIP is refused by name', async (t) => {
  const dir = await copyDemo(t);
  await writeFile(join(dir, 'config.json'), '{"model_type":"blip"}');
  await assert.rejects(read(dir), { code: 'MODEL_UNSUPPORTED', message: /siglip.*'blip'/ });
});

test('a folder that is none, and each file that is missing or broken, is named', async (t) => {
  const empty = await temporaryFolder(t);
  await assert.rejects(read(empty), { code: 'MODEL_NOT_FOUND', message: /config\.json/ });
  for (const name of small.slice(1)) {
    const dir = await copyDemo(t);
    await rm(join(dir, name));
    const missing = { code: 'MODEL_INVALID', message: new RegExp(name.replace('.', '\\.')) };
    await assert.rejects(read(dir), missing, name);
  }
  const dir = await copyDemo(t);
  await writeFile(join(dir, 'tokenizer_config.json'), '{');
  await assert.rejects(read(dir), { code: 'MODEL_INVALID', message: /tokenizer_config\.json/ });
  await rm(join(dir, 'onnx'), { recursive: true });
  await cp(join(demoModel, small[3]!), join(dir, small[3]!));
  await assert.rejects(read(dir), { code: 'MODEL_NOT_FOUND', message: /got none\./ });
});

test('the joint graph alone gives the embeddings of the two towers, and its own scale', async (t) => {
  const joint = await startOnCpu(await read(await copyDemo(t, ['model.onnx'])));
  t.after(() => joint.session.close());
  const split = await startOnCpu(await read(demoModel));
  t.after(() => split.session.close());
  const relative = joint.scoring.logitScale / split.scoring.logitScale - 1;
  assert.ok(Math.abs(relative) < 1e-3, `${joint.scoring.logitScale}, ${split.scoring.logitScale}`);

  const pixels = Uint8Array.from({ length: 2 * 64 * 64 * 3 }, (_, i) => (i * 37) % 251);
  const prompts = ['a photo of an owl', 'a car'];
  const [a, b] = await Promise.all(
    [joint, split].map(async ({ session }) => ({
      images: await session.embedImages(pixels.slice(), 2),
      texts: (await session.embedTexts(prompts)).embeddings,
    })),
  );
  assert.equal(a!.images.length, b!.images.length);
  assert.equal(a!.texts.length, b!.texts.length);
  assert.ok(largestDifference(a!.images, b!.images) < 1e-5);
  assert.ok(largestDifference(a!.texts, b!.texts) < 1e-5);
});

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}
