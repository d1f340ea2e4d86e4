import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { defineLabelSet, type LabelSetInput } from '../../../src/shared/labels/labelSet.ts';
import { createLog } from '../../../src/shared/log/log.ts';
import { readConfig } from '../../../src/shared/options/config.ts';
import type { LoadedModel } from '../../../src/worker/model/loadModel.ts';
import { readModelFiles } from '../../../src/worker/model/model.ts';
import { startWorker } from '../../../src/worker/worker.ts';
import { workerOptions } from '../../../src/worker/workerSettings.ts';
import { startOnCpu } from '../../support/cpuModel.ts';
import { demoModel, type Fleet, pictures, startFleet } from '../../support/fleet.ts';
import { until } from '../../support/support.ts';

const names = ['owl.jpg', 'car.jpg', 'cat.webp', 'bear.png', 'fox.jpg', 'dog.jpg'];
const privateLane = '{both}';

/**
 * The model, with the first batch held back until a second one is full. The first holds one image, because an idle session
 * takes what comes; if a full batch is all the other images, it must hold images of both runs.
 */
function holdFirstBatch(model: LoadedModel): LoadedModel {
  let secondCame = () => {};
  const second = new Promise<void>((resolve) => {
    secondCame = resolve;
  });
  const { session } = model;
  return {
    ...model,
    session: {
      ...session,
      async embedImages(pixels, count) {
        // Blank images that look after the session come one at a time too.
        if (count === 1) await second;
        else secondCame();
        return session.embedImages(pixels, count);
      },
    },
  };
}

async function addRun({ producer }: Fleet, run: string, model: string, input: LabelSetInput): Promise<void> {
  const labelSet = defineLabelSet(input);
  const open = await producer.openRun({ run, model, labelSet, privateLane });
  await open.add(names.map((name) => ({ id: name, uri: pathToFileURL(join(pictures, name)).href })));
  await open.seal();
  await open.close();
}

test('two runs with different labels share a batch, and each gets its own labels', async (t) => {
  const fleet = await startFleet(t);
  const files = await readModelFiles({ dir: demoModel, dtype: 'fp32' });
  const model = await startOnCpu(files);
  t.after(() => model.session.close());
  const animals = ['fox', 'bear', 'owl', 'cat', 'car', 'dog'];
  const vehicles = ['airplane', 'sailboat', 'bike', 'guitar'];
  await addRun(fleet, 'animals', model.identity, { labels: animals });
  await addRun(fleet, 'vehicles', model.identity, {
    labels: vehicles,
    scoreFunction: 'cosine',
    template: 'a drawing of {}',
  });

  const batches: number[] = [];
  const settings = { batchSize: 11, decoders: 2, imagesInFlight: 12 };
  const worker = startWorker(
    {
      redis: fleet.redis,
      prefix: 'clipfleet',
      log: createLog('silent'),
      model: holdFirstBatch(model),
      store: fleet.producer.store,
      runs: fleet.producer.runs,
      lanes: [{ name: privateLane, urgent: false }],
      roots: new Map(),
      trustPaths: true,
      onBatch: (images) => batches.push(images),
    },
    { ...readConfig(workerOptions, {}, {}), ...settings },
  );
  // The worker goes before the Redis it works with.
  try {
    for (const run of ['animals', 'vehicles']) {
      const isComplete = async () => (await fleet.producer.runs.get(run))?.state === 'complete';
      await until(isComplete, `${run} is complete`);
    }
  } finally {
    await worker.close(10_000);
  }
  assert.deepEqual(batches, [1, 11], 'one run has 6 images, so that a batch of 11 holds images of both');

  for (const [run, labels] of [
    ['animals', animals],
    ['vehicles', vehicles],
  ] as const) {
    let count = 0;
    for await (const row of fleet.producer.rows(run)) {
      count++;
      assert.ok(row.status === 'classified', `${row.id} of ${run} failed`);
      assert.deepEqual(row.predictions.map(({ label }) => label).sort(), [...labels].sort());
      const sum = row.predictions.reduce((total, { score }) => total + score, 0);
      if (run === 'vehicles') assert.ok(Math.abs(sum - 1) > 0.01, 'cosines do not add up to 1');
      else assert.equal(row.predictions[0]?.label, row.id.split('.')[0], 'each image got its own embedding');
    }
    assert.equal(count, names.length);
  }
});
