import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAccount } from '../../support/account.ts';
import { openDemoRun } from '../../support/demoRun.ts';
import { copyPictures, demoModel, startFleet } from '../../support/fleet.ts';

test('a cancelled run is opened no more, and takes no images', async (t) => {
  const fleet = await startFleet(t);
  await copyPictures(fleet, 'some', 3);
  const isCancelled = { code: 'RUN_CANCELLED' };
  const images = ['a', 'b', 'c', 'd'].map((id) => ({ id, uri: `${id}.jpg` }));
  const open = await openDemoRun(fleet, 'r');
  await open.add(images, { chunkSize: 2 });
  await fleet.producer.cancel('r');
  await assert.rejects(open.add([{ id: 'e', uri: 'e.jpg' }]), isCancelled);
  // Sealing says that nothing more comes, which is true.
  await open.seal();
  await assert.rejects(open.add([{ id: 'e', uri: 'e.jpg' }]), isCancelled);
  await open.close();

  await assert.rejects(openDemoRun(fleet, 'r'), isCancelled);
  await assert.rejects(fleet.producer.retry('r'), isCancelled);
  await assert.rejects(fleet.producer.control.pause('r', 'by hand'), isCancelled);
  const again = ['enqueue', 'some', '--labels', 'fox,owl', '--model', demoModel, '--run', 'r'];
  const { code, stderr } = await fleet.run(...again);
  assert.equal(code, 1);
  assert.match(stderr, /RUN_CANCELLED: Run 'r' is cancelled: give another --run/);
  assert.deepEqual(await readAccount(fleet, 'r'), { expected: 4, skipped: 4 });
});
