import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAccount } from '../../support/account.ts';
import { demoLane, runCompletes } from '../../support/demoRun.ts';
import { startHeldFleet } from '../../support/heldFleet.ts';
import { pathsOf } from '../../support/heldImages.ts';
import { until } from '../../support/support.ts';

test('a run that is resumed before its worker has let go of a job is not parked for it', async (t) => {
  const { fleet, add, asked, letGo } = await startHeldFleet(t);
  const { control, resume } = fleet.producer;
  await add('r', [...pathsOf('held', 3), ...pathsOf('quick', 5)]);
  await until(() => asked.length === 4, 'three images take all the places there are');
  await add('behind', pathsOf('behind', 8));
  await until(async () => (await fleet.producer.progress('behind')).active === 8, 'it is in hand');

  await control.pause('r', 'by hand');
  await control.pause('behind', 'by hand');
  await until(async () => (await demoLane(fleet)).delayed === 1, 'the worker has seen that both are paused');
  await resume('r');
  letGo();
  await until(
    async () => (await readAccount(fleet, 'r')).active === undefined,
    'the worker has let go of it',
  );
  await until(
    async () => (await demoLane(fleet)).delayed === 1,
    'only the job of the other run is delayed',
    10_000,
  );
  await runCompletes(fleet, 'r');
  assert.deepEqual(await readAccount(fleet, 'r'), { expected: 8, classified: 8 });
  assert.deepEqual(await readAccount(fleet, 'behind'), { expected: 8, waiting: 8 });
});
