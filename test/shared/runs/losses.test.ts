import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { keysUnder } from '../../../src/shared/redis/keys.ts';
import { createLosses } from '../../../src/shared/runs/losses.ts';
import { originsIn } from '../../../src/shared/runs/origins.ts';
import { createRuns } from '../../../src/shared/runs/runs.ts';
import { startFleet } from '../../support/fleet.ts';

/** A ledger with run `r`, of which chunk 0 with eight images is pending. */
async function openLedger(t: TestContext) {
  const { redis } = await startFleet(t);
  const keys = keysUnder('test');
  const runs = createRuns(redis, keys);
  await runs.open({ run: 'r', model: 'm@1:fp32', labelSet: 'l', lane: '{bulk-m}' });
  await runs.announce('r', 0, 8);
  const take = (worker: string, piece = '0', how: { alone?: boolean; from?: string } = {}) =>
    runs.begin('r', piece, 8, { worker, alone: false, ...how });
  const pieces = async () =>
    Object.fromEntries((await runs.pending('r')).map(({ piece, images }) => [piece, images]));
  return { redis, keys, runs, losses: createLosses(redis, keys), take, pieces };
}

test('what a worker holds is left to it, until somebody knows better', async (t) => {
  const { runs, take } = await openLedger(t);
  assert.deepEqual(await take('a'), { kind: 'work', hasSuspects: false });
  assert.deepEqual(await take('a'), { kind: 'work', hasSuspects: false }, 'its own');
  assert.deepEqual(await take('b'), { kind: 'held', worker: 'a' });
  assert.deepEqual(await take('b', '0', { from: 'a' }), { kind: 'work', hasSuspects: false });
  assert.deepEqual(await take('c', '0', { from: 'a' }), { kind: 'held', worker: 'b' });
  await runs.release('r', '0', 'a');
  assert.deepEqual(await runs.holders('r'), new Map([['0', 'b']]), 'a late release is of what it held');
  await runs.release('r', '0', 'b');
  assert.deepEqual(await runs.holders('r'), new Map());
});

test('a piece in the ledger of an earlier version is held by nobody who could have died', async (t) => {
  const { redis, keys, runs, take } = await openLedger(t);
  await redis.hset(keys.active('r'), '0', 8);
  assert.equal(await runs.active('r'), 8);
  assert.equal((await take('b')).kind, 'work');
});

test('a death is charged once, with the smallest piece; deaths alone are counted, and taken back', async (t) => {
  const { losses, take } = await openLedger(t);
  await take('a');
  await losses.charge('r', '0', 'a', ['x', 'y']);
  await losses.charge('r', '0', 'a', ['x']);
  assert.deepEqual(await losses.suspects('r', ['x', 'y', 'z']), suspectsOf({ x: [2, 0], y: [2, 0] }));

  for (const worker of ['b', 'c']) {
    await take(worker, '0/1', { alone: true });
    await losses.charge('r', '0/1', worker, ['x']);
  }
  assert.deepEqual(await losses.suspects('r', ['x']), suspectsOf({ x: [1, 2] }));
  assert.deepEqual(await take('d'), { kind: 'work', hasSuspects: true });
  await losses.spare('r', 'x', 'b');
  assert.deepEqual(await losses.suspects('r', ['x']), suspectsOf({ x: [1, 1] }));
  await losses.reset('r', ['x']);
  assert.deepEqual(await losses.suspects('r', ['x']), suspectsOf({ x: [1, 0] }));
  await losses.acquit('r', ['x', 'y']);
  assert.deepEqual(await losses.suspects('r', ['x', 'y']), new Map());
});

function suspectsOf(all: Record<string, [size: number, deaths: number]>) {
  return new Map(Object.entries(all).map(([id, [size, deaths]]) => [id, { size, deaths }]));
}

test('a piece is divided with the parts that were taken out of it, and those of a part with it', async (t) => {
  const { runs, pieces, redis, keys } = await openLedger(t);
  await runs.split('r', 0, [2, 1]);
  assert.equal(await runs.divide('r', '0', [4, 3]), 3, 'one of eight has its row');
  assert.deepEqual(await pieces(), { '0': 1, '0/3': 4, '0/4': 3 });
  assert.equal(await runs.divide('r', '0/3', [2, 2]), 5);
  assert.equal(await runs.divide('r', '0/5', [1, 1]), 7);
  assert.deepEqual(await pieces(), { '0': 1, '0/3': 0, '0/4': 3, '0/5': 0, '0/6': 2, '0/7': 1, '0/8': 1 });
  const originsOf = originsIn(await redis.hgetall(keys.parts('r')));
  assert.deepEqual(originsOf('0/8'), ['0', '0/5', '0/3']);
  assert.deepEqual(originsOf('0/4'), ['0']);

  // Whoever was cut off before the parts had jobs leaves the job of what was divided: it is divided anew.
  assert.equal(await runs.divide('r', '0/3', [2, 2]), 9);
  assert.deepEqual(await pieces(), { '0': 1, '0/3': 0, '0/4': 3, '0/9': 2, '0/10': 2 });
  assert.equal(await runs.divide('r', '0/4', [3, 1]), 0, 'it has not so many');
  await runs.finish('r', '0/3', true);
  assert.deepEqual(await pieces(), { '0': 1, '0/4': 3 });
  await runs.finish('r', '0', true);
  assert.deepEqual([await pieces(), (await runs.get('r'))?.pending], [{}, 0]);
});
