import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type ModelFiles, readModelFiles } from '../../../src/worker/model/model.ts';
import type { Dtype } from '../../../src/worker/onnx/dtype.ts';
import { dataType } from '../../../src/worker/onnx/onnxProto.ts';
import { openDevice } from '../../../src/worker/session/devices.ts';
import { startSession } from '../../../src/worker/session/session.ts';
import { demoModel, repository } from '../../support/fleet.ts';
import { largestDifference } from '../../support/goldens.ts';
import {
  exportedGraph,
  exportedModel,
  modelWith,
  smallImageTower,
  smallTextTower,
  withExternalData,
} from '../../support/graphs.ts';

const golden = (name: string) => join(repository, 'test/golden/models', name);

async function start(t: TestContext, files: ModelFiles, takesBytes: boolean) {
  const session = await startSession({
    ...files.towers,
    preprocessing: files.preprocessing,
    device: { ...(await openDevice('cpu')), takesBytes },
    threads: 1,
    batchSize: 2,
    solveScaleFrom: undefined,
  });
  t.after(() => session.close());
  return session;
}

/** The same images through the graph that takes bytes, and through the graph as it is, which takes floats packed in JavaScript. */
async function compare(t: TestContext, dir: string, dtype: Dtype = 'fp32') {
  const files = await readModelFiles({ dir, dtype });
  const [cast, packed] = [await start(t, files, true), await start(t, files, false)];
  const { width, height } = files.preprocessing;
  const pixels = Uint8Array.from({ length: 3 * width * height * 3 }, (_, i) => (i * 37) % 251);
  const [ours, theirs] = await Promise.all(
    [cast, packed].map((session) => session.embedImages(pixels.slice(), 3)),
  );
  assert.equal(ours!.length, 3 * cast.dimensions);
  assert.equal(largestDifference(ours!, theirs!), 0);
  const { embeddings } = await cast.embedTexts(['owl', 'a car on a street']);
  assert.equal(embeddings.length, 2 * cast.dimensions);
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
  const { graph, data } = withExternalData(
    await exportedGraph('vision_model.onnx'),
    'vision_model.onnx_data',
  );
  const text = await exportedGraph('text_model.onnx');
  const files = { 'vision_model.onnx': graph, 'vision_model.onnx_data': data, 'text_model.onnx': text };
  await compare(t, await modelWith(t, files, exportedModel));
});

test('towers that take and give 16 bit floats: the same', async (t) => {
  const vision = smallImageTower(dataType.float16);
  const text = smallTextTower(dataType.float16);
  const dir = await modelWith(t, { 'vision_model_fp16.onnx': vision, 'text_model_fp16.onnx': text });
  await compare(t, dir, 'fp16');
});
