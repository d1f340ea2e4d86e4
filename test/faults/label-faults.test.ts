// Labels that the model cannot encode, or takes long to, hold up nothing else and cost no image.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineLabelSet } from '../../src/shared/labels/labelSet.ts';
import { createPrepareLabels } from '../../src/worker/jobs/prepareLabels.ts';
import type { PreparedLabels } from '../../src/worker/labels/labelMatrices.ts';
import { findModel } from '../../src/worker/model/loadModel.ts';
import { dataType } from '../../src/worker/onnx/onnxProto.ts';
import { type Fleet, pictures, startFleet } from '../support/fleet.ts';
import { blindTextTower, modelWith, smallImageTower } from '../support/graphs.ts';
import { model, silent } from '../support/heart.ts';
import { laneOfTest, openLaneHere } from '../support/laneInProcess.ts';
import { until } from '../support/support.ts';
import { matrix } from '../support/threeLabels.ts';

/** A model whose text tower knows no word. */
function blindModel(t: Parameters<typeof modelWith>[0]): Promise<string> {
  return modelWith(t, {
    'vision_model.onnx': smallImageTower(dataType.float),
    'text_model.onnx': blindTextTower(),
  });
}

const scale = ['--logit-scale', '100', '--logit-bias', '0'];

async function startBlindWorker(fleet: Fleet, dir: string) {
  const running = fleet.start('worker', '--model', dir, ...scale, '--root', pictures);
  await until(() => running.text().stderr.includes('worker ready'), 'the worker serves');
  await until(async () => (await fleet.redis.keys('clipfleet:worker:*')).length > 0, 'it has said so');
  return running;
}

test('label refuses prompts that the model cannot encode, before it opens a run or reads an image', async (t) => {
  const fleet = await startFleet(t);
  const dir = await blindModel(t);
  const labels = ['--labels', 'fox,owl', '--run', 'r'];
  const { code, stderr } = await fleet.run('label', pictures, '--model', dir, ...scale, ...labels);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /^clipfleet: LABEL_NOT_EMBEDDED: /m);
  assert.equal(await fleet.producer.runs.get('r'), undefined);
});

test('enqueue refuses them where a worker of the model serves, and leaves no run', async (t) => {
  const fleet = await startFleet(t);
  const dir = await blindModel(t);
  const running = await startBlindWorker(fleet, dir);
  const asked = ['enqueue', pictures, '--model', dir, '--root', `pictures=${pictures}`];
  const { code, stdout, stderr } = await fleet.run(...asked, '--labels', 'fox,owl', '--run', 'r');
  assert.deepEqual([code, stdout], [1, ''], stderr);
  assert.match(stderr, /^clipfleet: LABEL_NOT_EMBEDDED: /m);
  assert.deepEqual(await fleet.producer.list(), []);
  running.child.kill('SIGTERM');
  await running.ended;
  const unserved = await fleet.run(...asked, '--labels', 'fox,owl', '--run', 'r');
  assert.deepEqual([unserved.code, unserved.stdout], [0, 'r\n'], unserved.stderr);
});

test('a fleet pauses such a run with the reason, and writes no row', async (t) => {
  const fleet = await startFleet(t);
  const dir = await blindModel(t);
  const { identity } = await findModel({ model: dir, revision: 'main', dtype: 'fp32' });
  const labelSet = defineLabelSet({ labels: ['fox', 'owl'] });
  const run = await fleet.producer.openRun({ model: identity, labelSet, run: 'r' });
  await run.add([{ id: 'owl.jpg', uri: 'owl.jpg' }]);
  await run.seal();
  await run.close();
  await startBlindWorker(fleet, dir);
  const paused = await until(async () => (await fleet.producer.runs.get('r'))?.paused, 'the run is paused');
  assert.match(paused!, /^LABEL_NOT_EMBEDDED: /);
  assert.deepEqual(await fleet.rows('r'), []);
});

test('jobs that wait for their labels let those of other runs pass', async (t) => {
  const fleet = await startFleet(t);
  const slow = defineLabelSet({ labels: ['fox', 'bear', 'owl', 'slow'] });
  const quick = defineLabelSet({ labels: ['fox', 'bear', 'owl'] });
  let end: (labels: PreparedLabels) => void = () => {};
  const encoding = new Promise<PreparedLabels>((resolve) => {
    end = resolve;
  });
  const ids = new Map<string, typeof quick>();
  for (const [run, labelSet, images] of [
    ['slow', slow, 40],
    ['quick', quick, 4],
  ] as const) {
    const open = await fleet.producer.openRun({ model, labelSet, run, privateLane: laneOfTest });
    ids.set((await fleet.producer.runs.get(run))!.labelSet, labelSet);
    await open.add(
      Array.from({ length: images }, (_, i) => ({ id: `i${i}`, uri: `i${i}` })),
      { chunkSize: 4 },
    );
    await open.seal();
    await open.close();
  }
  const lane = openLaneHere(fleet, {
    log: silent,
    prepareLabels: createPrepareLabels({
      labelMatrices: {
        get: async (id) => (ids.get(id) === slow ? encoding : { labelSet: quick, matrix, truncated: [] }),
      },
      runs: fleet.producer.runs,
      control: fleet.producer.control,
      newerGraceMs: 0,
      log: silent,
    }),
  });
  const isComplete = async (run: string) => (await fleet.producer.runs.get(run))?.state === 'complete';
  try {
    await until(() => isComplete('quick'), 'the run behind is complete');
    assert.deepEqual(await fleet.rows('slow'), []);
    end({ labelSet: slow, matrix, truncated: [] });
    await until(() => isComplete('slow'), 'the first run is complete');
  } finally {
    await lane.close();
  }
  assert.deepEqual(await fleet.producer.store.counts('slow'), { classified: 40, failed: 0, failures: {} });
});
