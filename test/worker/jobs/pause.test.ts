import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addsUp, readAccount } from '../../support/account.ts';
import { addDemoRun, demoLane, openDemoRun, runCompletes } from '../../support/demoRun.ts';
import { startFleet } from '../../support/fleet.ts';
import { pathsOf, serveHeldImages } from '../../support/heldImages.ts';
import { startPoliteWorker } from '../../support/politeFleet.ts';
import { until } from '../../support/support.ts';

test('a paused run holds up no other, has only what was begun, and goes on at once when it is resumed', async (t) => {
  const fleet = await startFleet(t);
  const { url, asked, letGo } = await serveHeldImages(t);
  const neighbour = await serveHeldImages(t);
  const add = (run: string, base: string, paths: string[]) =>
    addDemoRun(
      fleet,
      run,
      paths.map((path) => base + path),
      { chunkSize: 4 },
    );
  await startPoliteWorker(fleet, '--images-in-flight', '8', '--host-concurrency', '2');
  // A host is asked for one image at a time until it has answered one, and forgotten when nothing is asked of it. So the first chunk has an image
  // under way until those that are held are there.
  const open = await openDemoRun(fleet, 'r');
  const refs = (paths: string[]) => paths.map((path) => ({ id: url + path, uri: url + path }));
  await open.add(refs([...pathsOf('quick', 3), '/held-first.jpg']), { chunkSize: 4 });
  await until(() => asked.length === 4, 'the first four have begun');
  await open.add(refs(pathsOf('held', 36)), { chunkSize: 4 });
  await open.seal();
  await open.close();
  letGo('/held-first');
  const isHeldUp = async () =>
    asked.length === 6 && (await fleet.producer.store.counts('r')).classified === 4;
  await until(isHeldUp, 'four images are done and two have begun');

  const { code, stdout, stderr } = await fleet.run('pause', 'r');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^paused; 40 images: 4 classified, /);
  await (await openDemoRun(fleet, 'idle')).close();
  await fleet.producer.control.pause('idle', 'by hand');
  await add('idle', neighbour.url, pathsOf('idle', 8));
  await add('other', neighbour.url, pathsOf('quick', 40));
  await runCompletes(fleet, 'other');
  assert.equal(asked.length, 6, 'nothing more of the paused run was begun');
  assert.deepEqual(
    neighbour.asked.toSorted(),
    pathsOf('quick', 40).toSorted(),
    'nor anything of the other paused one',
  );

  letGo();
  await until(async () => {
    const { classified, active } = addsUp(await fleet.producer.progress('r'));
    return classified === 6 && active === 0 && (await demoLane(fleet)).delayed === 11;
  }, 'what was begun is done, and all jobs are parked');
  assert.deepEqual(await readAccount(fleet, 'r'), { expected: 40, classified: 6, waiting: 34 });

  const resumed = await fleet.run('resume', 'r');
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.equal((await demoLane(fleet)).delayed, 2, 'those of the other paused run');
  await runCompletes(fleet, 'r');
  assert.deepEqual(await readAccount(fleet, 'r'), { expected: 40, classified: 40 });
  assert.deepEqual(await readAccount(fleet, 'other'), { expected: 40, classified: 40 });
});
