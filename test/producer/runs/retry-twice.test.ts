import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAccount } from '../../support/account.ts';
import { addDemoRun, runCompletes } from '../../support/demoRun.ts';
import { copyPictures, startFleet } from '../../support/fleet.ts';
import { startPoliteWorker } from '../../support/politeFleet.ts';

test('what waits to be tried again is not added a second time', async (t) => {
  const fleet = await startFleet(t);
  const { producer } = fleet;
  const missing = ['0000-owl.jpg', '0001-car.jpg', '0002-cat.webp', '0003-bear.png', '0004-fox.jpg'];
  const uris = missing.map((name) => `late/${name}`);
  await addDemoRun(fleet, 'r', uris, { chunkSize: 2 });
  const worker = await startPoliteWorker(fleet);
  await runCompletes(fleet, 'r');
  assert.deepEqual(await readAccount(fleet, 'r'), { expected: 5, failed: 5 });
  worker.child.kill('SIGTERM');
  await worker.ended;

  assert.equal(await producer.retry('r', { chunkSize: 2 }), 5);
  const retrying = { expected: 5, failed: 5, retrying: 5 };
  assert.deepEqual(await readAccount(fleet, 'r'), retrying);
  assert.equal((await producer.progress('r')).complete, false);
  assert.equal(await producer.retry('r', { chunkSize: 2 }), 0);
  assert.deepEqual(await readAccount(fleet, 'r'), retrying);

  await copyPictures(fleet, 'late', 5);
  await startPoliteWorker(fleet);
  await runCompletes(fleet, 'r');
  assert.deepEqual(await readAccount(fleet, 'r'), { expected: 5, classified: 5 });
});
