import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { keysUnder } from '../../../src/shared/redis/keys.ts';
import { createRuns } from '../../../src/shared/runs/runs.ts';
import { startFleet } from '../../support/fleet.ts';

const by = { worker: 'w', alone: false };

/** A ledger with run `r`, of which chunk 0 with ten images is pending. */
async function openLedger(t: TestContext) {
  const { redis } = await startFleet(t);
  const runs = createRuns(redis, keysUnder('test'));
  await runs.open({ run: 'r', model: 'm@1:fp32', labelSet: 'l', lane: '{bulk-m}' });
  await runs.announce('r', 0, 10);
  const pieces = async () =>
    Object.fromEntries((await runs.pending('r')).map(({ piece, images }) => [piece, images]));
  const pending = async () => (await runs.get('r'))?.pending;
  return { runs, pieces, pending };
}

test('parts that are taken out of a chunk are pending by themselves, and nothing is counted twice', async (t) => {
  const { runs, pieces, pending } = await openLedger(t);
  assert.equal(await runs.split('r', 0, [4, 3]), 1);
  assert.deepEqual(await pieces(), { '0': 3, '0/1': 4, '0/2': 3 });
  assert.equal(await runs.split('r', 0, [2]), 3, 'the numbers of parts go on');
  assert.deepEqual(await pieces(), { '0': 1, '0/1': 4, '0/2': 3, '0/3': 2 });
  assert.equal(await pending(), 10);
  await runs.seal('r');
  for (const piece of ['0', '0/1', '0/1', '0/3']) await runs.finish('r', piece);
  assert.deepEqual([await pieces(), await pending()], [{ '0/2': 3 }, 3]);
  assert.equal((await runs.get('r'))?.state, 'sealed');
  await runs.finish('r', '0/2');
  const { images, state } = (await runs.get('r'))!;
  assert.deepEqual({ images, state }, { images: 10, state: 'complete' });
});

test('a chunk of which everything was given away is finished like any other', async (t) => {
  const { runs, pieces, pending } = await openLedger(t);
  await runs.split('r', 0, [6, 4]);
  await runs.finish('r', '0');
  assert.deepEqual([await pieces(), await pending()], [{ '0/1': 6, '0/2': 4 }, 10]);
  await runs.finish('r', '0/1');
  await runs.finish('r', '0/2');
  await runs.announce('r', 1, 3, 1);
  await runs.split('r', 1, [3]);
  await runs.finish('r', '1', true);
  const { images, retrying } = (await runs.get('r'))!;
  assert.deepEqual([images, retrying, await pending()], [10, 0, 0]);
});

test('a chunk that is finished whole is finished with the parts taken out of it', async (t) => {
  const { runs, pieces, pending } = await openLedger(t);
  await runs.announce('r', 1, 5);
  await runs.split('r', 0, [4, 3]);
  await runs.split('r', 1, [2]);
  await runs.finish('r', '0/1');
  await runs.finish('r', '0', true);
  assert.deepEqual([await pieces(), await pending()], [{ '1': 3, '1/1': 2 }, 5]);
  await runs.finish('r', '0/2');
  assert.equal(await pending(), 5, 'a part that is delivered late is finished already');
});

test('nothing is taken out of a chunk that is finished, or has less', async (t) => {
  const { runs, pieces } = await openLedger(t);
  assert.equal(await runs.split('r', 0, [6, 5]), 0);
  assert.deepEqual(await pieces(), { '0': 10 });
  await runs.finish('r', '0');
  assert.equal(await runs.split('r', 0, [1]), 0);
  assert.deepEqual(await pieces(), {});
});

test('parts of a chunk that is tried again are of its generation', async (t) => {
  const { runs } = await openLedger(t);
  await runs.finish('r', '0');
  await runs.announce('r', 1, 3, 2);
  await runs.split('r', 1, [2]);
  const generations = (await runs.pending('r')).map(({ piece, generation }) => [piece, generation]);
  assert.deepEqual(generations, [
    ['1', 2],
    ['1/1', 2],
  ]);
  await runs.finish('r', '1', true);
  const { images, pending, retrying } = (await runs.get('r'))!;
  assert.deepEqual({ images, pending, retrying }, { images: 10, pending: 0, retrying: 0 });
});

test('a chunk that is delivered again after parts were given away says so', async (t) => {
  const { runs } = await openLedger(t);
  assert.equal((await runs.begin('r', '0', 10, by)).kind, 'work');
  await runs.split('r', 0, [4]);
  assert.equal((await runs.begin('r', '0', 10, by)).kind, 'divided');
  assert.equal((await runs.begin('r', '0/1', 4, by)).kind, 'work');
});

test('what is delivered again after it was finished does not stay active', async (t) => {
  const { runs } = await openLedger(t);
  await runs.finish('r', '0');
  await runs.begin('r', '0', 10, by);
  assert.equal(await runs.active('r'), 10);
  await runs.finish('r', '0');
  assert.equal(await runs.active('r'), 0);
});
