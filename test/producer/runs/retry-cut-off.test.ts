import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAccount } from '../../support/account.ts';
import { addDemoRun, openDemoRun, runCompletes } from '../../support/demoRun.ts';
import { type Fleet, startFleet } from '../../support/fleet.ts';
import { startPoliteWorker } from '../../support/politeFleet.ts';

/** What a retry leaves that is cut off after it announced a chunk of all three images. */
async function cutOff({ producer: { runs } }: Fleet): Promise<void> {
  await runs.announce('r', await runs.reserveChunks('r', 1), 3, 1);
}

const uris = ['a', 'b', 'c'].map((name) => `missing/${name}.jpg`);
const asked = { expected: 3, failed: 3, retrying: 3 };
const settled = { expected: 3, failed: 3 };

test('a retry that was cut off before it added a job is settled by the next one', async (t) => {
  const fleet = await startFleet(t);
  await addDemoRun(fleet, 'r', uris, {});
  await startPoliteWorker(fleet);
  await runCompletes(fleet, 'r');
  await cutOff(fleet);
  assert.deepEqual(await readAccount(fleet, 'r'), asked);
  assert.equal((await fleet.producer.progress('r')).state, 'sealed');

  assert.equal(await fleet.producer.retry('r'), 3);
  await runCompletes(fleet, 'r');
  assert.deepEqual(await readAccount(fleet, 'r'), settled);
  const generations = (await fleet.rows('r')).map(({ generation }) => generation);
  assert.deepEqual(generations, [1, 1, 1], 'they were tried again');
});

test('or by whoever continues the run', async (t) => {
  const fleet = await startFleet(t);
  await addDemoRun(fleet, 'r', uris, {});
  await startPoliteWorker(fleet);
  await runCompletes(fleet, 'r');
  await cutOff(fleet);

  const open = await openDemoRun(fleet, 'r');
  assert.equal(await open.add(uris.map((uri) => ({ id: uri, uri }))), 0);
  await open.seal();
  await open.close();
  await runCompletes(fleet, 'r');
  assert.deepEqual(await readAccount(fleet, 'r'), settled);
});
