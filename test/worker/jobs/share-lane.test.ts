import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keysUnder } from '../../../src/shared/redis/keys.ts';
import { createLaneShare } from '../../../src/worker/jobs/shareLane.ts';
import { startFleet } from '../../support/fleet.ts';

test('a worker hears that another has nothing to do, and not that it had nothing itself', async (t) => {
  const { redis } = await startFleet(t);
  const [one, other] = [keysUnder('p'), keysUnder('p')].map((keys) => createLaneShare(redis, keys));
  assert.equal(await one!.isWanted('{lane}'), false);
  await one!.want('{lane}');
  assert.equal(await one!.isWanted('{lane}'), false);
  assert.equal(await other!.isWanted('{lane}'), true);
  assert.equal(await other!.isWanted('{another}'), false);
});
