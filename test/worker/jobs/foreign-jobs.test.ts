import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Queue } from 'bullmq';
import { laneName } from '../../../src/shared/fleet/lanes.ts';
import { defineLabelSet } from '../../../src/shared/labels/labelSet.ts';
import { findModel } from '../../../src/worker/model/loadModel.ts';
import { demoModel, pictures, startFleet } from '../../support/fleet.ts';
import { until } from '../../support/support.ts';

test('jobs from outside that are wrong fail clearly, and the worker goes on', async (t) => {
  const fleet = await startFleet(t);
  const { identity: model } = await findModel({ model: demoModel, revision: 'main', dtype: 'fp32' });
  const labelSet = defineLabelSet({ labels: ['fox', 'owl'] });
  const run = await fleet.producer.openRun({ model, labelSet, run: 'r' });
  const queue = new Queue(laneName('bulk', model), { connection: fleet.redis, prefix: 'clipfleet' });
  t.after(() => queue.close());

  const images = ['owl', 'owl.jpg'];
  const jobs = {
    'not-a-chunk': { hello: 'world' },
    'r.x.0': { v: 1, images },
    'nobody.0.0': { v: 1, images },
    'nobody.1.0': { v: 1, images, more: 'x' },
    'r.1.0': { v: 2, images },
    'r.2.0': { v: 1, images: ['half-wrong', 'owl.jpg'], more: 'x' },
    'r.4.0': { v: 1, images: ['whole', '', 'halved'] },
    'unlabeled.0.0': { v: 1, images: ['no-labels', 'owl.jpg'] },
    'other-model.0.0': { v: 1, images: ['other-model', 'owl.jpg'] },
  };
  const { runs } = fleet.producer;
  await runs.announce('r', 2, 1);
  await runs.announce('r', 4, 2);
  await runs.open({ run: 'unlabeled', model, labelSet: '0'.repeat(64), lane: laneName('bulk', model) });
  await runs.open({ run: 'other-model', model: 'm@1:fp32', labelSet: '0'.repeat(64), lane: '{bulk-m}' });
  for (const id of ['unlabeled', 'other-model']) {
    await runs.announce(id, 0, 1);
    await runs.seal(id);
  }
  for (const [jobId, data] of Object.entries(jobs)) await queue.add('chunk', data, { jobId });
  await run.add([{ id: 'owl', uri: 'owl.jpg' }]);
  await run.seal();
  await run.close();

  fleet.start('worker', '--model', demoModel, '--root', pictures);
  const ids = ['r', 'unlabeled', 'other-model'];
  for (const id of ids) {
    await until(async () => (await runs.get(id))?.state === 'complete', `run ${id} is complete`);
  }
  const all = (await Promise.all(ids.map(fleet.rows))).flat();
  const rows = Object.fromEntries(all.map((row) => [row.id, row]));
  const codeOf = (id: string) => {
    const row = rows[id];
    return row?.status === 'failed' ? row.error.code : row?.status;
  };
  assert.equal(codeOf('owl'), 'classified');
  assert.equal(codeOf('half-wrong'), 'JOB_INVALID');
  for (const id of ['whole', 'halved']) assert.equal(codeOf(id), 'JOB_INVALID');
  assert.equal(codeOf('other-model'), 'RUN_MISMATCH');
  assert.equal(codeOf('no-labels'), 'LABEL_SET_UNKNOWN');

  const reason = async (jobId: string) => (await queue.getJob(jobId))?.failedReason;
  await until(() => reason('not-a-chunk'), 'the job that is no chunk failed');
  assert.match((await reason('not-a-chunk'))!, /^JOB_INVALID: Expected a chunk/);
  await until(() => reason('r.x.0'), 'the job without a chunk number failed');
  assert.match((await reason('r.x.0'))!, /^JOB_INVALID: .*RUN\.CHUNK\.GENERATION/);
  assert.match((await reason('nobody.0.0'))!, /^RUN_UNKNOWN/);
  await until(() => reason('nobody.1.0'), 'the job of no run failed');
  assert.deepEqual(await fleet.rows('nobody'), [], 'no rows for a run that nobody opened');
  const newer = await queue.getJob('r.1.0');
  assert.equal(await newer?.getState(), 'delayed', 'a newer job waits for a newer worker');
  assert.equal(newer?.attemptsMade, 0);
});
