// BullMQ's worker that stands still while its connections are well: the lane is opened anew after a minute, and after two the process ends.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { copyPictures, demoModel, type Fleet, startFleet } from '../support/fleet.ts';
import { until } from '../support/support.ts';

const hook = fileURLToPath(new URL('../support/wedge.js', import.meta.url));
const MINUTES = { timeout: 300_000 };

async function startWedged(fleet: Fleet, which: 'first' | 'each') {
  await copyPictures(fleet, 'pictures', 40);
  const enqueue = ['--labels', 'fox,owl', '--model', demoModel, '--run', 'r', '--chunk-size', '4'];
  const added = await fleet.run('enqueue', 'pictures', ...enqueue);
  assert.equal(added.code, 0, added.stderr);
  Object.assign(fleet.env, { NODE_OPTIONS: `--import ${hook}`, WEDGED: which });
  const worker = fleet.start('worker', '--model', demoModel, '--health-port', '0');
  delete fleet.env.NODE_OPTIONS;
  return worker;
}

const isComplete = async (fleet: Fleet) => (await fleet.producer.progress('r')).state === 'complete';
async function assertExact(fleet: Fleet): Promise<void> {
  const { classified, failed } = await fleet.producer.progress('r');
  assert.deepEqual([classified, failed, (await fleet.rows('r')).length], [40, 0, 40]);
}

test('a lane whose worker stands still is opened anew, and no image is lost', MINUTES, async (t) => {
  const fleet = await startFleet(t);
  const worker = await startWedged(fleet, 'first');
  await until(() => isComplete(fleet), 'the run is complete', 200_000);
  assert.match(worker.text().stderr, /the lane is opened anew/);
  await assertExact(fleet);
});

test(
  'where the new one stands still too, the process ends with 1, and another does the rest',
  MINUTES,
  async (t) => {
    const fleet = await startFleet(t);
    const worker = await startWedged(fleet, 'each');
    const { code, stderr } = await worker.ended;
    assert.equal(code, 1, stderr);
    assert.match(stderr, /LANE_STUCK/);
    assert.equal(await isComplete(fleet), false);
    fleet.start('worker', '--model', demoModel);
    await until(() => isComplete(fleet), 'the run is complete', 100_000);
    await assertExact(fleet);
  },
);
