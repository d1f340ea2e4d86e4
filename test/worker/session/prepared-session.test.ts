import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readModelFiles } from '../../../src/worker/model/model.ts';
import type { Dtype } from '../../../src/worker/onnx/dtype.ts';
import { dataType } from '../../../src/worker/onnx/onnxProto.ts';
import { startOnCpu } from '../../support/cpuModel.ts';
import { demoModel, repository } from '../../support/fleet.ts';
import { largestDifference } from '../../support/goldens.ts';
import {
  demoGraph,
  modelWith,
  smallImageTower,
  smallTextTower,
  withExternalData,
} from '../../support/graphs.ts';
import { temporaryFolder } from '../../support/support.ts';

const golden = (name: string) => join(repository, 'test/golden/models', name);

async function start(t: TestContext, dir: string, cacheDir: string, dtype: Dtype = 'fp32') {
  const warnings: string[] = [];
  const config = { batchSize: 2, logitScale: 100, logitBias: 0, cacheDir };
  const model = await startOnCpu(await readModelFiles({ dir, dtype }), config, (warning) =>
    warnings.push(warning),
  );
  t.after(() => model.session.close());
  return { ...model, warnings };
}

/**
 * The same images through the prepared graph, and through the graph as it is, which takes floats packed in JavaScript: what
 * happens where the cache cannot be written.
 */
async function compare(t: TestContext, dir: string, dtype: Dtype = 'fp32') {
  const cacheDir = await temporaryFolder(t);
  const notAFolder = join(await temporaryFolder(t), 'file');
  await writeFile(notAFolder, '');
  const prepared = await start(t, dir, cacheDir, dtype);
  const packed = await start(t, dir, notAFolder, dtype);
  assert.equal((await readdir(join(cacheDir, 'graphs'))).length, 1);
  assert.deepEqual(prepared.warnings, []);
  assert.match(
    packed.warnings.join(),
    /could not be made ready in .*file.*packed in JavaScript.*--cache-dir/,
  );

  const { width, height } = prepared.preprocessing;
  const pixels = Uint8Array.from({ length: 3 * width * height * 3 }, (_, i) => (i * 37) % 251);
  const [ours, theirs] = await Promise.all(
    [prepared, packed].map(({ session }) => session.embedImages(pixels.slice(), 3)),
  );
  assert.equal(ours!.length, 3 * prepared.session.dimensions);
  assert.equal(largestDifference(ours!, theirs!), 0);
  const { embeddings } = await prepared.session.embedTexts(['owl', 'a car on a street']);
  assert.equal(embeddings.length, 2 * prepared.session.dimensions);
}

for (const [name, dir] of [
  ['both towers', demoModel],
  ['both towers of a SigLIP', golden('siglip')],
  ['the joint graph alone', golden('chinese-clip')],
] as const) {
  test(`${name}: bytes cast in the graph give the embeddings of floats packed in JavaScript`, (t) =>
    compare(t, dir));
}

test('weights in a file of their own: the same', async (t) => {
  const { graph, data } = withExternalData(await demoGraph('vision_model.onnx'), 'vision_model.onnx_data');
  const text = await demoGraph('text_model.onnx');
  const files = { 'vision_model.onnx': graph, 'vision_model.onnx_data': data, 'text_model.onnx': text };
  await compare(t, await modelWith(t, files));
});

test('towers that take and give 16 bit floats: the same', async (t) => {
  const vision = smallImageTower(dataType.float16);
  const text = smallTextTower(dataType.float16);
  const dir = await modelWith(t, { 'vision_model_fp16.onnx': vision, 'text_model_fp16.onnx': text });
  await compare(t, dir, 'fp16');
});
