import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addsUp, readAccount } from '../../support/account.ts';
import { demoLane } from '../../support/demoRun.ts';
import { startHeldFleet } from '../../support/heldFleet.ts';
import { pathsOf } from '../../support/heldImages.ts';
import { until } from '../../support/support.ts';

test('cancel stops work in progress: images without a row are skipped, and rows that come late are refused', async (t) => {
  const { fleet, add, asked, letGo } = await startHeldFleet(t);
  const { waitFor, progress } = fleet.producer;
  await add('r', [...pathsOf('quick', 8), ...pathsOf('held', 3), ...pathsOf('later', 53)]);
  const ended = waitFor('r', { onProgress: addsUp, signal: AbortSignal.timeout(300_000) });
  const isHeldUp = async () => {
    const { classified, active } = addsUp(await progress('r'));
    return asked.length === 12 && classified === 8 && active === 16;
  };
  await until(isHeldUp, 'a chunk is done, and two in hand of which three images have begun');

  const { code, stdout, stderr } = await fleet.run('cancel', 'r');
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'cancelled; 64 images: 8 classified, 56 skipped\n');
  const { state, ended: hasEnded, complete } = await ended;
  assert.deepEqual([state, hasEnded, complete], ['cancelled', true, false]);
  await until(async () => (await demoLane(fleet)).all === 1, 'the worker has let go of all others');

  letGo();
  await until(async () => (await demoLane(fleet)).all === 0, 'the lane is empty');
  assert.equal(asked.length, 12, 'nothing more was begun');
  assert.deepEqual(await readAccount(fleet, 'r'), { expected: 64, classified: 8, skipped: 56 });
  const ids = (await fleet.rows('r')).map(({ id }) => new URL(id).pathname);
  assert.deepEqual(ids.sort(), pathsOf('quick', 8), 'what was answered after the cancel has no row');
});
