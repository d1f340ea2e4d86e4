import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineLabelSet } from '../../../src/shared/labels/labelSet.ts';
import { findModel } from '../../../src/worker/model/loadModel.ts';
import { demoModel, startFleet } from '../../support/fleet.ts';
import { serveHttp } from '../../support/imageServer.ts';
import { until } from '../../support/support.ts';

test('a job that BullMQ fails because its workers died again and again still ends with its rows', async (t) => {
  const fleet = await startFleet(t);
  // The server takes the request and never answers, so that the job is being worked on when its worker is killed.
  let requests = 0;
  const url = await serveHttp(t, () => {
    requests++;
  });
  const { identity: model } = await findModel({ model: demoModel, revision: 'main', dtype: 'fp32' });
  const labelSet = defineLabelSet({ labels: ['fox', 'owl'] });
  const run = await fleet.producer.openRun({ model, labelSet, run: 'lost' });
  await run.add([
    { id: 'a', uri: `${url}/a.jpg` },
    { id: 'b', uri: 'data:,' },
  ]);
  await run.seal();
  await run.close();

  const limits = ['--lock-ms', '1000', '--stalled-max', '1', '--allow-private-addresses'];
  for (let killed = 1; killed <= 2; killed++) {
    const worker = fleet.start('worker', '--model', demoModel, ...limits);
    await until(() => requests === killed, `worker ${killed} works on the job`);
    worker.child.kill('SIGKILL');
    await worker.ended;
  }
  fleet.start('worker', '--model', demoModel, ...limits);
  await until(
    async () => (await fleet.producer.runs.get('lost'))?.state === 'complete',
    'the run is complete',
  );
  assert.equal(requests, 2, 'the third worker was not given the job');
  const rows = await fleet.rows('lost');
  assert.deepEqual(rows.map((row) => [row.id, row.status === 'failed' && row.error.code]).sort(), [
    ['a', 'WORKER_LOST'],
    ['b', 'WORKER_LOST'],
  ]);
});
