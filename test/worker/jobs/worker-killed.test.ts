import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copyPictures, demoModel, startFleet } from '../../support/fleet.ts';
import { until } from '../../support/support.ts';

test('kill -9 of a worker mid-run loses nothing and doubles nothing', async (t) => {
  const fleet = await startFleet(t);
  await copyPictures(fleet, 'many', 300);
  const args = ['--labels', 'fox,bear,owl', '--model', demoModel, '--chunk-size', '16', '--run', 'killed'];
  assert.equal((await fleet.run('enqueue', 'many', ...args)).code, 0);
  const { store, runs } = fleet.producer;

  const worker = () => fleet.start('worker', '--model', demoModel, '--lock-ms', '1000');
  const first = worker();
  await until(async () => (await store.counts('killed')).classified >= 32, 'some rows are written');
  first.child.kill('SIGKILL');
  await first.ended;
  const { classified } = await store.counts('killed');
  assert.ok(classified < 300, 'killed in the middle of the run');

  worker();
  await until(async () => (await runs.get('killed'))?.state === 'complete', 'the run is complete');
  const rows = await fleet.rows('killed');
  assert.equal(rows.length, 300);
  assert.equal(new Set(rows.map(({ id }) => id)).size, 300);
  assert.deepEqual(await store.counts('killed'), { classified: 300, failed: 0, failures: {} });
});
