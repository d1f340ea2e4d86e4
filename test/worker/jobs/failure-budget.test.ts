import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addsUp, readAccount } from '../../support/account.ts';
import { addDemoRun, openDemoRun, runCompletes } from '../../support/demoRun.ts';
import { copyPictures, startFleet } from '../../support/fleet.ts';
import { startPoliteWorker } from '../../support/politeFleet.ts';
import { until } from '../../support/support.ts';

test('a run of which too many images fail is paused with the reason; others go on, and so does it, if told to', async (t) => {
  const fleet = await startFleet(t);
  const { producer } = fleet;
  await copyPictures(fleet, 'some', 6);
  const good = ['0000-owl.jpg', '0001-car.jpg', '0002-cat.webp', '0003-bear.png', '0004-fox.jpg'];
  const goodUris = good.map((name) => `some/${name}`);
  const missing = Array.from({ length: 600 }, (_, i) => `missing/${i}.jpg`);
  await (await openDemoRun(fleet, 'r')).close();
  await producer.control.setMaxFailureRate('r', 0.5);
  await addDemoRun(fleet, 'r', [...missing, ...goodUris], { chunkSize: 10 });
  await addDemoRun(fleet, 'other', goodUris, {});

  await startPoliteWorker(fleet, '--images-in-flight', '10');
  await runCompletes(fleet, 'other');
  await until(async () => {
    const { paused, active } = addsUp(await producer.progress('r'));
    return paused !== undefined && active === 0;
  }, 'the run is paused and no worker has it in hand');
  const { paused, done, waiting, failures } = await producer.progress('r');
  assert.match(
    paused!,
    /^(\d+) of \1 images failed, more than --max-failure-rate 0\.5 allows, \1 of them with IMAGE_NOT_FOUND$/,
  );
  assert.deepEqual(failures, { IMAGE_NOT_FOUND: done });
  assert.ok(done >= 100 && waiting > 0, `${done} done, ${waiting} waiting`);

  const { code, stderr } = await fleet.run('resume', 'r', '--max-failure-rate', '1');
  assert.equal(code, 0, stderr);
  await runCompletes(fleet, 'r');
  assert.deepEqual(await readAccount(fleet, 'r'), { expected: 605, classified: 5, failed: 600 });
});
