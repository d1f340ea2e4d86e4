// onnxruntime's own failure to allocate, brought about by a graph that needs 96 times the memory for each image more.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { readModelFiles } from '../../../src/worker/model/model.ts';
import { dataType } from '../../../src/worker/onnx/onnxProto.ts';
import { startOnCpu } from '../../support/cpuModel.ts';
import { copyPictures, startFleet } from '../../support/fleet.ts';
import { modelWith, smallTextTower, steepImageTower } from '../../support/graphs.ts';
import { temporaryFolder, until } from '../../support/support.ts';

const imageBytes = 64 * 64 * 3;

function steepModel(t: TestContext): Promise<string> {
  const text = smallTextTower(dataType.float);
  return modelWith(t, { 'vision_model.onnx': steepImageTower(), 'text_model.onnx': text });
}

async function startSteep(t: TestContext, batchSize: number) {
  const dir = await steepModel(t);
  const config = {
    batchSize,
    logitScale: 100,
    cacheDir: await temporaryFolder(t),
  };
  const { session } = await startOnCpu(await readModelFiles({ dir, dtype: 'fp32' }), config);
  t.after(() => session.close());
  const told: number[] = [];
  session.onImagesFitting((images) => told.push(images));
  return { session, told };
}

/** An image of one colour: the embedding says which. */
const plain = (image: number) => new Uint8Array(imageBytes).fill(10 + image * 15);
const several = (count: number) =>
  Uint8Array.from(Buffer.concat(Array.from({ length: count }, (_, i) => plain(i))));

test('a batch that does not fit is halved, each image gets its own embedding, and the size is told and remembered', async (t) => {
  const { session, told } = await startSteep(t, 2);
  assert.deepEqual(told, []);
  const embeddings = await session.embedImages(several(8), 8);
  assert.deepEqual(told, [4]);
  for (let image = 0; image < 8; image++) {
    const alone = await session.embedImages(plain(image), 1);
    assert.deepEqual(embeddings.slice(image * 3, image * 3 + 3), alone, `image ${image}`);
  }
  await session.embedImages(several(8), 8);
  assert.deepEqual(told, [4]);
});

test('what does not fit when the session is made ready is known before the first batch', async (t) => {
  const { told } = await startSteep(t, 8);
  assert.deepEqual(told, [4]);
});

test('a worker whose batches do not fit labels all images in smaller ones, and warns once of the setting', async (t) => {
  const fleet = await startFleet(t);
  await copyPictures(fleet, 'pictures', 24);
  const model = ['--model', await steepModel(t)];
  const settings = ['--batch-size', '8', '--logit-scale', '100', '--log-level', 'debug'];
  const worker = fleet.start('worker', ...model, ...settings);
  const lines = () =>
    worker
      .text()
      .stderr.split('\n')
      .filter((line) => line.startsWith('{'));
  const said = (message: string) =>
    lines().flatMap((line) => {
      const entry = JSON.parse(line) as { msg: string; images: number; batchSize: number; fitting: number };
      return entry.msg.includes(message) ? [entry] : [];
    });
  await until(() => said('worker ready').length > 0, 'the worker is ready');
  const enqueued = await fleet.run('enqueue', 'pictures', ...model, '--labels', 'owl,car');
  const run = enqueued.stdout.trim();
  await until(async () => (await fleet.rows(run)).length === 24, 'each image has its row');
  assert.ok((await fleet.rows(run)).every(({ status }) => status === 'classified'));
  assert.ok(said('batch').length >= 6);
  assert.ok(said('batch').every(({ images }) => !(images > 4)));
  const warnings = said('--batch-size');
  assert.deepEqual([warnings.length, warnings[0]?.batchSize, warnings[0]?.fitting], [1, 8, 4]);
});
