import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keysUnder } from '../../../src/shared/redis/keys.ts';
import { createRunControl } from '../../../src/shared/runs/runControl.ts';
import { createRuns } from '../../../src/shared/runs/runs.ts';
import { startFleet } from '../../support/fleet.ts';

const about = { run: 'r', model: 'm@1:fp32', labelSet: 'l', lane: '{bulk-m}' };

test('a chunk counts once however often it is announced or finished', async (t) => {
  const { redis } = await startFleet(t);
  const runs = createRuns(redis, keysUnder('test'));
  await runs.open(about);
  assert.equal(await runs.announce('r', 0, 32), 32);
  assert.equal(await runs.announce('r', 0, 32), 32);
  assert.equal(await runs.announce('r', 7, 5), 37);
  await runs.finish('r', '0');
  await runs.finish('r', '0');
  assert.equal(await runs.announce('r', 0, 32), 5, 'a finished chunk is not announced again');
  const { images, pending, chunks } = (await runs.get('r'))!;
  assert.deepEqual({ images, pending, chunks }, { images: 37, pending: 5, chunks: 8 });
  assert.deepEqual(await runs.pending('r'), [{ piece: '7', images: 5, generation: 0 }]);
});

test('a run is complete when it is sealed and nothing is pending', async (t) => {
  const { redis } = await startFleet(t);
  const runs = createRuns(redis, keysUnder('test'));
  const stateOf = async () => (await runs.get('r'))?.state;
  await runs.open(about);
  await runs.announce('r', 0, 2);
  await runs.finish('r', '0');
  assert.equal(await stateOf(), 'open');
  await runs.announce('r', 1, 2);
  await runs.seal('r');
  assert.equal(await stateOf(), 'sealed');
  await runs.finish('r', '1');
  assert.equal(await stateOf(), 'complete');
});

test('a sealed run takes no chunk until it is opened again', async (t) => {
  const { redis } = await startFleet(t);
  const runs = createRuns(redis, keysUnder('test'));
  await runs.open(about);
  await runs.seal('r');
  await assert.rejects(runs.announce('r', 0, 1), { code: 'RUN_SEALED' });
  await runs.open(about);
  assert.equal(await runs.announce('r', 0, 1), 1);
  await assert.rejects(runs.announce('unknown', 0, 1), { code: 'RUN_UNKNOWN' });
});

test('a withdrawn chunk takes its images back, once', async (t) => {
  const { redis } = await startFleet(t);
  const runs = createRuns(redis, keysUnder('test'));
  await runs.open(about);
  await runs.announce('r', 0, 3);
  await runs.announce('r', 1, 4);
  await runs.withdraw('r', '1', 0);
  await runs.withdraw('r', '1', 0);
  const { images, pending } = (await runs.get('r'))!;
  assert.deepEqual({ images, pending }, { images: 3, pending: 3 });
});

test('a run is continued with the same model and labels only', async (t) => {
  const { redis } = await startFleet(t);
  const runs = createRuns(redis, keysUnder('test'));
  await runs.open(about);
  await runs.open(about);
  for (const other of [{ model: 'n@1:fp32' }, { labelSet: 'k' }, { lane: '{bulk-n}' }]) {
    await assert.rejects(runs.open({ ...about, ...other }), { code: 'RUN_MISMATCH' });
  }
});

test('a piece that should not be worked on is in nobody’s hands, though a worker that died had it', async (t) => {
  const { redis } = await startFleet(t);
  const runs = createRuns(redis, keysUnder('test'));
  const control = createRunControl(redis, keysUnder('test'));
  await runs.open(about);
  await runs.announce('r', 0, 5);
  assert.equal((await runs.begin('r', '0', 5, { worker: 'w', alone: false })).kind, 'work');
  assert.equal(await runs.active('r'), 5);
  await control.pause('r', 'by hand');
  assert.equal((await runs.begin('r', '0', 5, { worker: 'w', alone: false })).kind, 'paused');
  assert.equal(await runs.active('r'), 0);
});

test('a sealed run takes chunks of images that are tried again', async (t) => {
  const { redis } = await startFleet(t);
  const runs = createRuns(redis, keysUnder('test'));
  await runs.open(about);
  await runs.announce('r', 0, 5);
  await runs.finish('r', '0');
  await runs.seal('r');
  assert.equal(await runs.announce('r', 1, 2, 1), 2);
  const { images, pending, retrying, state } = (await runs.get('r'))!;
  assert.deepEqual([images, pending, retrying, state], [5, 2, 2, 'sealed']);
  await runs.finish('r', '1');
  assert.equal((await runs.get('r'))!.state, 'complete');
});
