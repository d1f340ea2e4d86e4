import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFleet } from '../../support/fleet.ts';
import { BEGUN, IMAGES, startHoldingRun, startNamedWorker } from '../../support/givingFleet.ts';
import { runIsComplete } from '../../support/politeFleet.ts';
import { until } from '../../support/support.ts';

test('a worker killed after it gave parts away: its chunk is delivered again, whole, and nothing is left', async (t) => {
  const fleet = await startFleet(t);
  const { runs } = fleet.producer;
  const server = await startHoldingRun(t, fleet);
  const first = await startNamedWorker(fleet, 'first');
  await until(() => server.heldOf('first') === BEGUN, 'the first has begun what it can');
  await startNamedWorker(fleet, 'second');
  await until(() => server.heldOf('second') === BEGUN, 'the second has parts of the chunk');
  first.child.kill('SIGKILL');
  await first.ended;
  // It comes to whoever has room for a job: the third, which has nothing to do and would have it divided once more.
  await startNamedWorker(fleet, 'third');
  await until(() => server.heldOf('third') > 0, 'the chunk, or a part of it, is delivered again');
  await startNamedWorker(fleet, 'fourth');
  server.answer();
  await runIsComplete(fleet);

  const rows = await fleet.rows('r');
  assert.equal(new Set(rows.map(({ id }) => id)).size, IMAGES);
  assert.equal(rows.length, IMAGES);
  assert.ok(rows.every(({ status }) => status === 'classified'));
  const { expected, classified, duplicates } = await fleet.producer.progress('r');
  assert.deepEqual([expected, classified, duplicates], [IMAGES, IMAGES, 0]);
  assert.deepEqual(await runs.pending('r'), []);
  await until(async () => (await runs.active('r')) === 0, 'late deliveries of parts are let go of, too');
});

test('a worker cut off before its parts had jobs: whoever gets its chunk does them too', async (t) => {
  const fleet = await startFleet(t);
  const { runs } = fleet.producer;
  const server = await startHoldingRun(t, fleet);
  server.answer();
  // What such a worker leaves: parts in the ledger, and the job of the chunk alone in the lane.
  assert.equal(await runs.split('r', 0, [4, 4, 2]), 1);
  await startNamedWorker(fleet, 'first');
  await runIsComplete(fleet);
  assert.equal((await fleet.rows('r')).length, IMAGES);
  assert.deepEqual([await runs.pending('r'), await runs.active('r')], [[], 0]);
});
