import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { defineLabelSet } from '../../../src/shared/labels/labelSet.ts';
import { findModel } from '../../../src/worker/model/loadModel.ts';
import { demoModel, pictures, startFleet } from '../../support/fleet.ts';
import { serveHttp } from '../../support/imageServer.ts';
import { until } from '../../support/support.ts';

test('SIGTERM finishes what is in flight and leaves the rest in the lane', async (t) => {
  const fleet = await startFleet(t);
  const owl = await readFile(join(pictures, 'owl.jpg'));
  const held: ServerResponse[] = [];
  let isKnown = false;
  const url = await serveHttp(t, (_, response) => {
    // A host gets more than one request when it has answered one.
    if (isKnown) held.push(response);
    else response.end(owl);
    isKnown = true;
  });
  const { identity: model } = await findModel({ model: demoModel, revision: 'main', dtype: 'fp32' });
  const run = await fleet.producer.openRun({
    model,
    labelSet: defineLabelSet({ labels: ['fox', 'owl'] }),
    run: 'r',
  });
  const refs = Array.from({ length: 40 }, (_, i) => ({ id: `${i}`, uri: `${url}/${i}.jpg` }));
  await run.add(refs, { chunkSize: 4 });
  await run.seal();
  await run.close();

  const worker = fleet.start(
    'worker',
    '--model',
    demoModel,
    '--allow-private-addresses',
    '--images-in-flight',
    '4',
  );
  await until(() => held.length === 4, 'as many images are in flight as may be');
  worker.child.kill('SIGTERM');
  await until(() => worker.text().stderr.includes('finishing the images in flight'), 'it has heard');
  // What is in flight now, and what the jobs it has taken still ask for, is answered.
  let answered = 0;
  const answering = setInterval(() => {
    for (const response of held.slice(answered)) response.end(owl);
    answered = held.length;
  }, 5);
  const { code, stderr } = await worker.ended;
  clearInterval(answering);
  assert.equal(code, 0, stderr);
  const { classified, failed } = await fleet.producer.store.counts('r');
  assert.equal(failed, 0);
  assert.equal(classified, 1 + answered, 'every image it asked for has its row');
  assert.ok(classified >= 4 && classified < 40, `${classified} of 40: the rest was left`);
  assert.equal((await fleet.producer.runs.get('r'))?.pending, 40 - classified);
});
