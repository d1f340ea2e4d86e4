import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keysUnder } from '../../../src/shared/redis/keys.ts';
import { createLaneShare } from '../../../src/worker/jobs/shareLane.ts';
import { startFleet } from '../../support/fleet.ts';

test('a worker that said it had nothing to do does not give its own images away for that', async (t) => {
  const { redis } = await startFleet(t);
  const [one, other] = [1, 2].map(() => createLaneShare(redis, keysUnder('test'))) as [Share, Share];
  assert.equal(await one.isWanted('lane'), false);
  await one.want('lane');
  assert.equal(await one.isWanted('lane'), false, 'its own word is not for itself');
  assert.equal(await other.isWanted('lane'), true);
  assert.equal(await other.isWanted('another lane'), false);
  await other.want('lane');
  assert.equal(await one.isWanted('lane'), true);
});
type Share = ReturnType<typeof createLaneShare>;
