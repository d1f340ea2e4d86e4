// Chunks that are announced and have no job yet: a producer that lives keeps them, those of one that was killed are taken back.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  type ChunkSenderOptions,
  createChunkSender,
  type Settled,
} from '../../../src/producer/runs/chunkSender.ts';
import { openLaneQueue } from '../../../src/shared/fleet/laneQueue.ts';
import { defineLabelSet } from '../../../src/shared/labels/labelSet.ts';
import { startFleet } from '../../support/fleet.ts';
import { model } from '../../support/heart.ts';
import { until } from '../../support/support.ts';

const laneOfTest = '{slow}';
const labelSet = defineLabelSet({ labels: ['fox', 'owl'] });
const refs = (...names: string[]) => names.map((name) => ({ id: name, uri: `${name}.jpg` }));

/** Run `r`, opened, and its lane. */
async function startOpened(t: TestContext) {
  const fleet = await startFleet(t);
  const opened = await fleet.producer.openRun({ model, labelSet, run: 'r', privateLane: laneOfTest });
  const lane = openLaneQueue(laneOfTest, { redis: fleet.redis, prefix: 'clipfleet', onError: () => {} });
  t.after(() => Promise.all([opened.close(), lane.close()]));
  return { ...fleet, lane };
}

test('chunks of a producer that takes long from announcing to adding are left alone, and said', async (t) => {
  const { producer, lane } = await startOpened(t);
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const slowLane: ChunkSenderOptions['lane'] = {
    async addBulk(jobs) {
      await held;
      return lane.addBulk(jobs);
    },
  };
  const sender = createChunkSender('r', { lane: slowLane, runs: producer.runs });
  await sender.send({ images: refs('a', 'b'), generation: 0 });
  await until(async () => (await producer.runs.pending('r')).length === 1, 'the chunk is announced');

  const told: Settled[] = [];
  const other = await producer.openRun({ model, labelSet, run: 'r', privateLane: laneOfTest });
  t.after(() => other.close());
  const [audit, added] = await Promise.all([
    producer.audit('r'),
    other.add(refs('c'), { onSettled: (settled) => told.push(settled) }),
  ]);
  assert.deepEqual([audit.withdrawn, audit.vouched, added], [[], ['0'], 1]);
  assert.deepEqual(told, [{ withdrawn: [], vouched: ['0'] }]);

  letGo();
  assert.equal(await sender.finish(), 2);
  assert.equal((await producer.progress('r')).expected, 3);
  assert.ok(await lane.getJob('r.0.0'));
});

test('chunks of a producer that was killed after announcing them are taken back when its word has run out', async (t) => {
  const { producer } = await startOpened(t);
  const { runs } = producer;
  assert.equal(await runs.reserveChunks('r', 1), 0);
  await runs.vouch('r', [0]);
  await runs.announce('r', 0, 2);
  const { withdrawn, vouched, progress } = await producer.audit('r');
  assert.deepEqual([withdrawn, vouched, progress.expected], [['0'], [], 0]);
});
