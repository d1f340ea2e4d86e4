import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Queue } from 'bullmq';
import { copyPictures, demoModel, startFleet } from '../../support/fleet.ts';
import { until } from '../../support/support.ts';

const how = ['--labels', 'fox,owl', '--model', demoModel, '--chunk-size', '4'];

test('rm removes a complete run with its rows, refuses an open one, and leaves other runs alone', async (t) => {
  const fleet = await startFleet(t);
  await copyPictures(fleet, 'many', 12);
  for (const run of ['mine', 'other']) await fleet.run('enqueue', 'many', ...how, '--run', run);
  const refused = await fleet.run('rm', 'mine');
  assert.deepEqual([refused.code, refused.stdout], [1, '']);
  assert.match(refused.stderr, /^clipfleet: RUN_BUSY: Run 'mine' is sealed/m);

  fleet.start('worker', '--model', demoModel);
  for (const run of ['mine', 'other']) {
    await until(async () => (await fleet.producer.runs.get(run))?.state === 'complete', `${run} is complete`);
  }
  const removed = await fleet.run('rm', 'mine');
  assert.deepEqual([removed.code, removed.stdout], [0, 'removed mine\n'], removed.stderr);
  assert.deepEqual(await fleet.redis.keys('clipfleet:*{mine*'), [], 'nothing is left of it');
  assert.equal((await fleet.run('rm', 'mine')).code, 1);
  assert.equal((await fleet.rows('other')).length, 12);
  assert.equal((await fleet.run('results', 'other')).code, 0);
});

test('rm of a cancelled run takes the jobs that wait with it', async (t) => {
  const fleet = await startFleet(t);
  await copyPictures(fleet, 'many', 12);
  for (const run of ['mine', 'other']) await fleet.run('enqueue', 'many', ...how, '--run', run);
  const { lane } = (await fleet.producer.runs.get('mine'))!;
  const queue = new Queue(lane, { connection: fleet.redis, prefix: 'clipfleet' });
  t.after(() => queue.close());
  assert.equal(await queue.count(), 6);
  assert.equal((await fleet.run('cancel', 'mine')).stdout, 'cancelled; 12 images: 12 skipped\n');
  const removed = await fleet.run('rm', 'mine');
  assert.equal(removed.code, 0, removed.stderr);
  const left = (await queue.getJobs(['waiting', 'prioritized', 'delayed'])).map(({ id }) =>
    id!.replace(/\.[^.]*$/, ''),
  );
  assert.deepEqual(left.sort(), ['other.0.0', 'other.1.0', 'other.2.0']);
  assert.deepEqual(await fleet.redis.keys('clipfleet:*{mine*'), []);
  // The id is free: the same run may begin anew.
  assert.equal((await fleet.run('enqueue', 'many', ...how, '--run', 'mine')).code, 0);
  fleet.start('worker', '--model', demoModel);
  await until(async () => (await fleet.producer.runs.get('mine'))?.state === 'complete', 'it is complete');
  assert.equal((await fleet.rows('mine')).length, 12);
});
