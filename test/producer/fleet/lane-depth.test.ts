// What waits in the lanes of a model, in images.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineLabelSet } from '../../../src/shared/labels/labelSet.ts';
import { type Fleet, startFleet } from '../../support/fleet.ts';
import { model } from '../../support/heart.ts';

const labelSet = defineLabelSet({ labels: ['fox', 'owl'] });

async function addRun({ producer }: Fleet, run: string, images: number): Promise<void> {
  const open = await producer.openRun({ model, labelSet, run });
  const refs = Array.from({ length: images }, (_, i) => ({ id: `i${i}`, uri: `i${i}.jpg` }));
  await open.add(refs, { chunkSize: 4 });
  await open.seal();
  await open.close();
}

test('images are waiting, active or held, whatever jobs they are in', async (t) => {
  const fleet = await startFleet(t);
  const { producer } = fleet;
  const { runs, control } = producer;
  const depth = async () => {
    const [bulk, interactive] = await producer.laneDepths(model);
    assert.deepEqual([bulk!.lane, interactive!.lane, interactive!.waiting], ['bulk', 'interactive', 0]);
    return [bulk!.waiting, bulk!.active, bulk!.held];
  };
  assert.deepEqual(await depth(), [0, 0, 0]);
  await addRun(fleet, 'r', 10);
  assert.deepEqual(await depth(), [10, 0, 0]);
  await addRun(fleet, 's', 5);
  assert.deepEqual(await depth(), [15, 0, 0]);
  await runs.begin('r', '0', 4, { worker: 'w', alone: false });
  assert.deepEqual(await depth(), [11, 4, 0]);
  // A paused run keeps no worker busy but with what it has in hand.
  await control.pause('r', 'by hand');
  assert.deepEqual(await depth(), [5, 4, 6]);
  await runs.finish('r', '0');
  assert.deepEqual(await depth(), [5, 0, 6]);
  await producer.resume('r');
  assert.deepEqual(await depth(), [11, 0, 0]);
  await producer.cancel('r');
  assert.deepEqual(await depth(), [5, 0, 0]);
});

test('the age is that of the image that is next, of a run that is not paused', async (t) => {
  const fleet = await startFleet(t);
  const { redis, producer } = fleet;
  const age = async () => (await producer.laneDepths(model))[0]!.oldestMs;
  assert.equal(await age(), 0);
  await addRun(fleet, 'old', 4);
  await addRun(fleet, 'young', 4);
  const wasAdded = async (run: string, msAgo: number) => {
    const [job] = await redis.keys(`clipfleet:{bulk-*}:${run}.0.0*`);
    await redis.hset(job!, 'timestamp', Date.now() - msAgo);
  };
  await wasAdded('old', 90_000);
  await wasAdded('young', 30_000);
  const isAbout = (ms: number, wanted: number) => ms >= wanted && ms < wanted + 20_000;
  assert.ok(isAbout(await age(), 90_000));
  await producer.control.pause('old', 'by hand');
  assert.ok(isAbout(await age(), 30_000));
});

test('what somebody else wrote into a lane or a run is passed over', async (t) => {
  const fleet = await startFleet(t);
  const { redis, producer } = fleet;
  await addRun(fleet, 'r', 4);
  await addRun(fleet, 'odd', 4);
  const [job] = await redis.keys('clipfleet:{bulk-*}:r.0.0*');
  const lane = job!.slice(0, job!.lastIndexOf(':'));
  await redis.lpush(`${lane}:wait`, 'not a chunk', 'gone.0.0');
  await redis.set('clipfleet:run:{odd}', 'text');
  assert.equal((await producer.laneDepths(model))[0]!.waiting, 4);
});

test('runs are counted by state, single images not', async (t) => {
  const fleet = await startFleet(t);
  const { redis, producer } = fleet;
  await addRun(fleet, 'sealed', 1);
  for (const run of ['cancelled', 'paused']) await addRun(fleet, run, 1);
  await producer.cancel('cancelled');
  await producer.control.pause('paused', 'by hand');
  await (await producer.openRun({ model, labelSet, run: 'open' })).close();
  const done = await producer.openRun({ model, labelSet, run: 'complete' });
  await done.seal();
  await done.close();
  await redis.set('clipfleet:run:{odd}', 'text');
  await producer.runs.openNew({ run: 'one', model, labelSet: 'x', lane: '{x}', expireAfterMs: 60_000 });
  assert.deepEqual(await producer.runStates(), {
    ...{ open: 1, sealed: 1, paused: 1, complete: 1, cancelled: 1, unreadable: 1 },
  });
});
