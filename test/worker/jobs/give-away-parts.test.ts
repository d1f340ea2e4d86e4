import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseChunkJob } from '../../../src/shared/runs/chunkJob.ts';
import { createGiveAway } from '../../../src/worker/jobs/giveAway.ts';
import { deliver, refs, tellLedger } from '../../support/heart.ts';

const chunk = { run: 'r', chunk: 5, generation: 1 };
const images = refs('a', 'b', 'c', 'd', 'e').map((ref, i) => ({ ref, place: { chunk: 5, index: 10 + i } }));

test('images that are called back together become parts of a batch’s size, in the ledger before they have jobs', async () => {
  const runs = tellLedger({ split: 3 });
  const { delivery, added } = deliver([]);
  const addJobs: typeof delivery.addJobs = async (...pieces) => {
    assert.deepEqual(runs.told, ['split r 5 2,2,1']);
    await delivery.addJobs(...pieces);
  };
  const away = createGiveAway({ runs, delivery: { ...delivery, addJobs }, chunk, batchSize: 2 });
  for (const image of images) away.add(image);
  assert.deepEqual(await away.done(), { given: 5, isOvertaken: false });
  assert.deepEqual(
    added.map(({ id, attempts }) => [id, attempts]),
    [
      ['r.5/3.1', 3],
      ['r.5/4.1', 3],
      ['r.5/5.1', 3],
    ],
  );
  assert.deepEqual(parseChunkJob(added[1]!), {
    ...{ run: 'r', chunk: 5, part: 4, generation: 1 },
    ...{ images: refs('c', 'd'), indexes: [12, 13] },
  });
});

test('images that are called back later become parts of their own', async () => {
  const runs = tellLedger();
  const { delivery } = deliver([]);
  const away = createGiveAway({ runs, delivery, chunk, batchSize: 4 });
  away.add(images[0]!);
  await away.done();
  away.add(images[1]!);
  assert.deepEqual(await away.done(), { given: 2, isOvertaken: false });
  assert.deepEqual(runs.told, ['split r 5 1', 'split r 5 1']);
});

test('a chunk that another delivery has finished gives nothing away', async () => {
  const { delivery, added } = deliver([]);
  const away = createGiveAway({ runs: tellLedger({ split: 0 }), delivery, chunk, batchSize: 4 });
  away.add(images[0]!);
  assert.deepEqual(await away.done(), { given: 0, isOvertaken: true });
  assert.deepEqual(added, []);
});

test('whoever waits for the end is told that the parts could not be added', async () => {
  const { delivery } = deliver([]);
  const addJobs = async () => {
    throw new Error('OOM');
  };
  const away = createGiveAway({
    runs: tellLedger(),
    delivery: { ...delivery, addJobs },
    chunk,
    batchSize: 4,
  });
  away.add(images[0]!);
  await assert.rejects(away.done(), /OOM/);
});
