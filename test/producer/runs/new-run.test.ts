import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineLabelSet } from '../../../src/shared/labels/labelSet.ts';
import { startFleet } from '../../support/fleet.ts';
import { model } from '../../support/heart.ts';

const about = { model, labelSet: defineLabelSet({ labels: ['a', 'b'] }), privateLane: '{lane}' };

test('a run that must be new is refused where there is one, and that one is as it was', async (t) => {
  const { producer } = await startFleet(t);
  const first = await producer.openRun({ ...about, run: 'r', isNew: true });
  await first.seal();
  await first.close();
  const before = await producer.runs.get('r');
  await assert.rejects(producer.openRun({ ...about, run: 'r', isNew: true }), { code: 'RUN_BUSY' });
  assert.deepEqual(await producer.runs.get('r'), before);
  assert.equal(before?.state, 'complete');
});

test('an id that exists is drawn again', async (t) => {
  const { producer, redis } = await startFleet(t);
  // Every id that could be drawn begins with the time: the first one asked for is taken by another program.
  const { clipfleetOpenRun } = redis;
  const asked: string[] = [];
  redis.clipfleetOpenRun = async (...args) => {
    asked.push(args[0]);
    if (asked.length === 1)
      await redis.hset(args[0], { model: 'other@1:fp32', images: 0, pending: 0, chunks: 0 });
    return clipfleetOpenRun.apply(redis, args);
  };
  const open = await producer.openRun(about);
  await open.close();
  assert.equal(asked.length, 2);
  assert.equal((await producer.runs.get(open.run))?.model, model);
  assert.notEqual(`clipfleet:run:{${open.run}}`, asked[0]);
});
