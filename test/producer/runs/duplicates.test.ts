import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAccount } from '../../support/account.ts';
import { addDemoRun, openDemoRun, runCompletes } from '../../support/demoRun.ts';
import { startFleet } from '../../support/fleet.ts';
import { pathsOf, serveHeldImages } from '../../support/heldImages.ts';
import { startPoliteWorker } from '../../support/politeFleet.ts';
import { until } from '../../support/support.ts';

test('an id that comes twice, in a chunk or in two, is one row and is expected once', async (t) => {
  const fleet = await startFleet(t);
  const { url } = await serveHeldImages(t);
  const urls = pathsOf('quick', 12).map((path) => url + path);
  // The first four twice in one chunk, then all of them in others.
  const given = [...urls.slice(0, 4), ...urls.slice(0, 4), ...urls.slice(4), ...urls];
  await addDemoRun(fleet, 'r', given, { chunkSize: 8 });
  assert.deepEqual(await readAccount(fleet, 'r'), { expected: 28, waiting: 28 });
  await startPoliteWorker(fleet);
  await runCompletes(fleet, 'r');
  assert.deepEqual(await readAccount(fleet, 'r'), { expected: 12, classified: 12, duplicates: 16 });
  assert.deepEqual((await fleet.rows('r')).map(({ id }) => id).sort(), urls.toSorted());
});

test('also where two workers have it in hand at once', async (t) => {
  const fleet = await startFleet(t);
  const { url, asked, letGo } = await serveHeldImages(t);
  // A host is asked for one image at a time until it has answered one.
  await addDemoRun(fleet, 'first', [`${url}/quick.jpg`], {});
  const first = await startPoliteWorker(fleet);
  await runCompletes(fleet, 'first');
  const twice = { id: 'twice', uri: `${url}/held.jpg` };
  const open = await openDemoRun(fleet, 'r');
  await open.add([twice]);
  await until(() => asked.length === 2, 'the first has asked for it');
  // It would take the second chunk too, and ask for both.
  first.child.kill('SIGSTOP');
  await startPoliteWorker(fleet);
  await open.add([twice]);
  await open.seal();
  await open.close();
  await until(() => asked.length === 3, 'the second has asked for it');
  first.child.kill('SIGCONT');
  letGo();
  await runCompletes(fleet, 'r');
  assert.deepEqual(await readAccount(fleet, 'r'), { expected: 1, classified: 1, duplicates: 1 });
});
