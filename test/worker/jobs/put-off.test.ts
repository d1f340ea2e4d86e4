import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Queue } from 'bullmq';
import { isOutOfPatience, noteRefusals, putOffUntil } from '../../../src/worker/jobs/putOff.ts';
import { startFleet } from '../../support/fleet.ts';

test('a job remembers since when its images are refused, until one gets through', async (t) => {
  const fleet = await startFleet(t);
  const queue = new Queue('{lane}', { connection: fleet.redis });
  t.after(() => queue.close());
  await queue.add('chunk', {}, { jobId: 'r.0.0' });
  /** The job as the next delivery finds it. */
  const delivered = async () => (await queue.getJob('r.0.0'))!;
  const since = async () => (await delivered()).progress;

  const [refused, gotOn] = [true, true];
  await noteRefusals(await delivered(), !refused, !gotOn);
  assert.equal(isOutOfPatience(await delivered(), -1), false, 'never refused');
  await noteRefusals(await delivered(), refused, !gotOn);
  const first = await since();
  await noteRefusals(await delivered(), refused, !gotOn);
  await noteRefusals(await delivered(), !refused, !gotOn);
  assert.equal(await since(), first, 'the first refusal counts');
  assert.equal(isOutOfPatience(await delivered(), -1), true);
  assert.equal(isOutOfPatience(await delivered(), 3_600_000), false);
  await noteRefusals(await delivered(), !refused, gotOn);
  assert.equal(isOutOfPatience(await delivered(), -1), false, 'one got through');
});

test('a job is put off until the soonest of its hosts, never before, and not for less than a second', () => {
  for (let i = 0; i < 100; i++) {
    const { delayMs } = putOffUntil([90_000, 60_000]);
    assert.ok(delayMs >= 60_000 && delayMs < 90_000, `${delayMs} ms`);
    assert.ok(putOffUntil([1]).delayMs >= 1_000);
  }
});
