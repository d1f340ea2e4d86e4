// What of the GPU path is not CUDA's own, on a GPU in software: the numbers are a GPU's, the speed is not.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Queue } from 'bullmq';
import { buildTowers } from '../../../src/worker/checkpoint/buildTowers.ts';
import { readModelFiles } from '../../../src/worker/model/model.ts';
import { dataType } from '../../../src/worker/onnx/onnxProto.ts';
import { openDevice } from '../../../src/worker/session/devices.ts';
import { startSession } from '../../../src/worker/session/session.ts';
import { embedImages, embedTexts, filesOf } from '../../support/checkpointEmbeddings.ts';
import { checkpointModel, readCheckpointGolden } from '../../support/checkpointGoldens.ts';
import { demoModel, jsonLines, pictures, startFleet } from '../../support/fleet.ts';
import { largestDifference } from '../../support/goldens.ts';
import { modelWith, smallImageTower, smallTextTower } from '../../support/graphs.ts';
import { losableGpu, softwareGpu } from '../../support/softwareGpu.ts';
import { until } from '../../support/support.ts';

// Before the first session of this process, which loads the driver.
Object.assign(process.env, softwareGpu);

/** Shaders are compiled by the processor: on a busy machine that takes minutes. */
const PATIENCE_MS = 600_000;

/** Unit vectors, of sums in another order. */
const TOLERANCE = 1e-5;

const imageBytes = 64 * 64 * 3;
const pixelsOf = (count: number) => Uint8Array.from({ length: count * imageBytes }, (_, i) => (i * 37) % 251);

/** Towers of three dimensions. @param count images that go through together, where the graph takes no other number */
const smallModel = (t: TestContext, count?: number) =>
  modelWith(t, {
    'vision_model.onnx': smallImageTower(dataType.float, count),
    'text_model.onnx': smallTextTower(dataType.float),
  });

async function startOn(t: TestContext, device: string, dir: string) {
  const { towers, preprocessing } = await readModelFiles({ dir, dtype: 'fp32' });
  const session = await startSession(
    {
      ...towers,
      preprocessing,
      device: await openDevice(device),
      threads: 1,
      batchSize: 4,
      solveScaleFrom: undefined,
    },
    { answerMaxMs: PATIENCE_MS },
  );
  t.after(() => session.close());
  return session;
}

test('images go there as floats, and texts as numbers of 64 bits: the embeddings are the processor’s', async (t) => {
  const dir = await smallModel(t);
  const [ours, theirs] = [await startOn(t, 'webgpu', dir), await startOn(t, 'cpu', dir)];
  assert.deepEqual(
    [ours.dimensions, ours.isBlankFinite],
    [3, true],
    'a batch of blank images went through first',
  );
  assert.ok(ours.firstBatchMs > 0);
  for (const count of [1, 3, 4]) {
    const [there, here] = await Promise.all(
      [ours, theirs].map((session) => session.embedImages(pixelsOf(count), count)),
    );
    assert.equal(there!.length, count * 3);
    assert.ok(largestDifference(there!, here!) < TOLERANCE, `${count} images`);
  }
  const prompts = ['an owl', 'a red car on a street'];
  const [there, here] = [await ours.embedTexts(prompts), await theirs.embedTexts(prompts)];
  assert.ok(largestDifference(there.embeddings, here.embeddings) < TOLERANCE);
});

test('a graph that takes four images and no other number gets four, padded or in pieces', async (t) => {
  const dir = await smallModel(t, 4);
  const [ours, theirs] = [await startOn(t, 'webgpu', dir), await startOn(t, 'cpu', await smallModel(t))];
  for (const count of [3, 9]) {
    const [there, here] = await Promise.all(
      [ours, theirs].map((session) => session.embedImages(pixelsOf(count), count)),
    );
    assert.equal(there!.length, count * 3);
    assert.ok(largestDifference(there!, here!) < TOLERANCE, `${count} images`);
  }
});

for (const name of ['siglip-bf16', 'clip-end-highest-f16-shards']) {
  test(`${name}: the embeddings of a checkpoint in 16 bits are those of transformers`, async () => {
    const golden = await readCheckpointGolden(name);
    const { vision, text } = await buildTowers(filesOf(golden));
    const device = await openDevice('webgpu');
    const images = await embedImages(vision, golden, device);
    assert.ok(largestDifference(images, golden.images) < TOLERANCE, 'images');
    const texts = await embedTexts(text, golden, device);
    assert.ok(largestDifference(texts, golden.texts) < TOLERANCE, 'texts');
  });
}

test('a GPU without numbers of 16 bits computes in 32, which is said', async (t) => {
  const dir = await checkpointModel(t, 'clip');
  const fleet = await startFleet(t);
  const settings = ['--model', dir, '--dtype', 'fp16', '--device', 'webgpu'];
  const { code, stdout, stderr } = await fleet.run('verify', ...settings);
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /:fp16\n.*ok +computation +fp32 on webgpu/s);
});

test('label gives the processor’s predictions', async (t) => {
  const fleet = await startFleet(t);
  const label = async (device: string) => {
    const images = ['owl.jpg', 'car.jpg'].map((name) => join(pictures, name));
    const settings = ['--model', demoModel, '--device', device, '--batch-size', '2'];
    const { code, stdout, stderr } = await fleet.run(
      'label',
      ...images,
      '--labels',
      'owl,car',
      ...settings,
      '--output',
      '-',
    );
    assert.equal(code, 0, stderr);
    return jsonLines<{ id: string; predictions: { label: string; score: number }[] }>(stdout);
  };
  const [there, here] = [await label('webgpu'), await label('cpu')];
  assert.deepEqual(there.map(({ id }) => id).sort(), here.map(({ id }) => id).sort());
  for (const { id, predictions } of there) {
    const wanted = here.find((line) => line.id === id)!.predictions;
    predictions.forEach(({ label, score }, i) => {
      assert.equal(label, wanted[i]!.label, id);
      assert.ok(Math.abs(score - wanted[i]!.score) < TOLERANCE, id);
    });
  }
});

test('a machine without a driver is refused with the remedy when the GPU is named, and auto does not ask for it', async (t) => {
  const fleet = await startFleet(t);
  const none = join(fleet.folder, 'no-driver.json');
  Object.assign(fleet.env, { VK_DRIVER_FILES: none, VK_ICD_FILENAMES: none });
  const { code, stderr } = await fleet.run('verify', '--model', demoModel, '--device', 'webgpu');
  assert.equal(code, 1);
  assert.match(stderr, /DEVICE_UNAVAILABLE.*Expected the device webgpu, got: .+Vulkan.*--device cpu/s);
  const auto = await fleet.run('verify', '--model', demoModel, '--device', 'auto');
  assert.equal(auto.code, 0, auto.stderr);
});

test('a lost device: jobs go back without an attempt, the worker ends with code 1, and the next one says what is wrong', async (t) => {
  const fleet = await startFleet(t);
  const gpu = await losableGpu(fleet.folder);
  Object.assign(fleet.env, gpu.env);
  const model = ['--model', await smallModel(t), '--logit-scale', '100'];
  const worker = fleet.start('worker', ...model, '--device', 'webgpu', '--root', pictures);
  await until(() => worker.text().stderr.includes('worker ready'), 'the worker takes jobs', PATIENCE_MS);
  await gpu.lose();
  const images = ['--root', pictures, '--labels', 'owl,car'];
  const { stdout } = await fleet.run('enqueue', join(pictures, 'owl.jpg'), ...model.slice(0, 2), ...images);
  const run = stdout.trim();
  const { code, stderr } = await worker.ended;
  assert.deepEqual([code, worker.child.signalCode], [1, null], stderr);
  assert.match(stderr, /The session fails with blank images too.*"code":"SESSION_LOST"/);

  const { lane: name } = (await fleet.producer.runs.get(run))!;
  const lane = new Queue(name, { connection: fleet.redis, prefix: 'clipfleet' });
  t.after(() => lane.close());
  // Its delay of a second may be over by now.
  const [job] = await lane.getJobs(['delayed', 'waiting']);
  assert.deepEqual([job?.attemptsMade, (await fleet.rows(run)).length], [0, 0]);

  const next = await fleet.run('worker', ...model, '--device', 'webgpu');
  assert.equal(next.code, 1);
  assert.match(next.stderr, /DEVICE_UNAVAILABLE.*Expected the device webgpu/);
});
