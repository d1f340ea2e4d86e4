import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { copyPictures, demoModel, type Fleet, startFleet } from '../../support/fleet.ts';
import { until } from '../../support/support.ts';

/** Run `r` of eleven pictures and an empty file, that no worker has yet. */
async function startRun(t: TestContext): Promise<Fleet> {
  const fleet = await startFleet(t);
  await copyPictures(fleet, 'many', 11);
  await writeFile(join(fleet.folder, 'many', 'none.png'), '');
  const how = ['--labels', 'fox,owl', '--model', demoModel, '--run', 'r', '--chunk-size', '4'];
  assert.equal((await fleet.run('enqueue', 'many', ...how)).code, 0);
  return fleet;
}

test('status --watch says why a run is paused, goes on with it, and ends when every image has its row', async (t) => {
  const fleet = await startRun(t);
  await fleet.run('pause', 'r');
  const watch = fleet.start('status', 'r', '--watch');
  await until(() => watch.text().stderr.includes('\n'), 'it says where the run is');
  assert.equal(watch.text().stderr, '0/12 images, 0.0 images/s, paused: by hand\n');
  assert.equal(watch.child.exitCode, null);

  fleet.start('worker', '--model', demoModel);
  await fleet.run('resume', 'r');
  const { code, stdout, stderr } = await watch.ended;
  assert.equal(code, 0);
  assert.match(stderr, /^12\/12 images, .*1 failed \(IMAGE_EMPTY 1\)/m);
  assert.match(stderr, /12\/12[^\n]*\n$/, 'the last line is where it ended');
  for (const mark of ['\u001b', '\r', '█'])
    assert.ok(!stderr.includes(mark), 'plain lines where it is piped');
  assert.match(stdout, /^state +complete$/m);
  assert.match(stdout, /^images +12 images: 11 classified, 1 failed$/m);
  assert.match(stdout, /^failed +1 IMAGE_EMPTY$/m);
});

test('status --watch ends when the run is cancelled', async (t) => {
  const fleet = await startRun(t);
  const watch = fleet.start('status', 'r', '--watch');
  await until(() => watch.text().stderr.includes('0/12 images'), 'it watches');
  assert.equal(watch.child.exitCode, null);
  await fleet.producer.cancel('r');
  const { code, stdout } = await watch.ended;
  assert.equal(code, 0);
  assert.match(stdout, /^state +cancelled$/m);
  assert.match(stdout, /^images +12 images: 12 skipped$/m);
});

test('status says why a run is paused and how to go on', async (t) => {
  const fleet = await startRun(t);
  await fleet.producer.control.pause('r', 'by hand');
  const { code, stdout } = await fleet.run('status', 'r');
  assert.equal(code, 0);
  assert.match(stdout, /^paused +by hand: clipfleet resume r$/m);
  assert.match(stdout, /^images +12 images: 12 waiting$/m);
});
