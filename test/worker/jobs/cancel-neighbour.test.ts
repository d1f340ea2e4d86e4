import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAccount } from '../../support/account.ts';
import { addDemoRun, demoLane, runCompletes } from '../../support/demoRun.ts';
import { startFleet } from '../../support/fleet.ts';
import { pathsOf, serveHeldImages } from '../../support/heldImages.ts';
import { startPoliteWorker } from '../../support/politeFleet.ts';
import { until } from '../../support/support.ts';

test('jobs of a cancelled run are gone through without work, and hold up no other run of the lane', async (t) => {
  const fleet = await startFleet(t);
  const { url, asked } = await serveHeldImages(t);
  const add = (run: string, name: string) =>
    addDemoRun(
      fleet,
      run,
      pathsOf(name, 40).map((path) => url + path),
      { chunkSize: 4 },
    );
  await add('cancelled', 'held');
  await add('other', 'quick');
  await fleet.producer.cancel('cancelled');

  await startPoliteWorker(fleet);
  await runCompletes(fleet, 'other');
  await until(async () => (await demoLane(fleet)).all === 0, 'the lane is empty');
  assert.deepEqual(await readAccount(fleet, 'other'), { expected: 40, classified: 40 });
  assert.deepEqual(await readAccount(fleet, 'cancelled'), { expected: 40, skipped: 40 });
  assert.deepEqual(
    asked.toSorted(),
    pathsOf('quick', 40).toSorted(),
    'only images of the other run were read',
  );
});
