import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Queue } from 'bullmq';
import { defineLabelSet, labelSetId } from '../src/shared/labelSet.ts';
import { laneName } from '../src/shared/lanes.ts';
import { findModel } from '../src/worker/loadModel.ts';
import { demoModel, pictures, startFleet } from './fleet.ts';
import { until } from './support.ts';

test('jobs from outside that are wrong fail clearly, and the worker goes on', async (t) => {
  const fleet = await startFleet(t);
  const { identity: model } = await findModel({ model: demoModel, revision: 'main', dtype: 'fp32' });
  const labelSet = defineLabelSet({ labels: ['fox', 'owl'] });
  const run = await fleet.producer.openRun({ model, labelSet, run: 'r' });
  const queue = new Queue(laneName('bulk', model), { connection: fleet.redis, prefix: 'clipfleet' });
  t.after(() => queue.close());

  const images = [{ id: 'owl', uri: 'owl.jpg' }];
  const good = { v: 1, run: 'r', generation: 0, labelSet: labelSetId(labelSet) };
  const jobs = {
    'not-a-chunk': { hello: 'world' },
    'unknown-run': { ...good, run: 'nobody', chunk: 0, images },
    'orphan-half-wrong': { ...good, run: 'nobody', chunk: 1, generation: 'x', images },
    newer: { ...good, v: 2, chunk: 1, images },
    'bad-generation': { ...good, chunk: 2, generation: 'x', images: [{ id: 'half-wrong', uri: 'owl.jpg' }] },
    'other-labels': {
      ...good,
      chunk: 4,
      labelSet: 'f'.repeat(64),
      images: [{ id: 'other-labels', uri: 'owl.jpg' }],
    },
    'unknown-labels': {
      ...good,
      run: 'unlabeled',
      chunk: 0,
      labelSet: '0'.repeat(64),
      images: [{ id: 'no-labels', uri: 'owl.jpg' }],
    },
  };
  const { runs } = fleet.producer;
  for (const chunk of [2, 4]) await runs.announce('r', chunk, 1);
  await runs.open({ run: 'unlabeled', model, labelSet: '0'.repeat(64), lane: laneName('bulk', model) });
  await runs.announce('unlabeled', 0, 1);
  await runs.seal('unlabeled');
  for (const [jobId, data] of Object.entries(jobs)) await queue.add('chunk', data, { jobId });
  await run.add(images);
  await run.seal();
  await run.close();

  fleet.start('worker', '--model', demoModel, '--root', pictures);
  for (const id of ['r', 'unlabeled']) {
    await until(async () => (await runs.get(id))?.state === 'complete', `run ${id} is complete`);
  }
  const all = [...(await fleet.rows('r')), ...(await fleet.rows('unlabeled'))];
  const rows = Object.fromEntries(all.map((row) => [row.id, row]));
  const codeOf = (id: string) => {
    const row = rows[id];
    return row?.status === 'failed' ? row.error.code : row?.status;
  };
  assert.equal(codeOf('owl'), 'classified');
  assert.equal(codeOf('half-wrong'), 'JOB_INVALID');
  assert.equal(codeOf('other-labels'), 'RUN_MISMATCH');
  assert.equal(codeOf('no-labels'), 'LABEL_SET_UNKNOWN');

  const reason = async (jobId: string) => (await queue.getJob(jobId))?.failedReason;
  await until(() => reason('not-a-chunk'), 'the job that is no chunk failed');
  assert.match((await reason('not-a-chunk'))!, /^JOB_INVALID: Expected a chunk/);
  assert.match((await reason('unknown-run'))!, /^RUN_UNKNOWN/);
  await until(() => reason('orphan-half-wrong'), 'the job of no run failed');
  assert.deepEqual(await fleet.rows('nobody'), [], 'no rows for a run that nobody opened');
  const newer = await queue.getJob('newer');
  assert.equal(await newer?.getState(), 'delayed', 'a newer job waits for a newer worker');
  assert.equal(newer?.attemptsMade, 0);
});
