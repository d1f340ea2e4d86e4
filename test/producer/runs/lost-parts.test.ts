import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Queue } from 'bullmq';
import { laneName } from '../../../src/shared/fleet/lanes.ts';
import { defineLabelSet } from '../../../src/shared/labels/labelSet.ts';
import { jobId } from '../../../src/shared/runs/chunkJob.ts';
import { readAccount } from '../../support/account.ts';
import { startFleet } from '../../support/fleet.ts';
import { reclaimHere } from '../../support/reclaimHere.ts';

const model = 'm@1:fp32';
const refs = Array.from({ length: 10 }, (_, i) => ({ id: `${i}`, uri: `${i}.jpg` }));

/** Run `r`: one chunk of ten images, in the ledger and in the lane. */
async function startRun(t: TestContext) {
  const fleet = await startFleet(t);
  const lane = new Queue(laneName('bulk', model), { connection: fleet.redis, prefix: 'clipfleet' });
  t.after(() => lane.close());
  const { producer } = fleet;
  const { runs, store } = producer;
  const about = { model, labelSet: defineLabelSet({ labels: ['a', 'b'] }), run: 'r' };
  async function add(images: { id: string; uri: string }[], seal = true): Promise<number> {
    const run = await producer.openRun(about);
    const added = await run.add(images);
    if (seal) await run.seal();
    await run.close();
    return added;
  }
  await add(refs);
  const record = (await runs.get('r'))!;
  return {
    ...{ fleet, runs, lane, add },
    audit: () => producer.audit('r'),
    account: () => readAccount(fleet, 'r'),
    loseJob: async (piece: string) => (await lane.getJob(jobId(record, piece, 0)))!.remove(),
    /** Gives images of a job of their own: what a worker that gives away does after it divided the chunk. */
    addPart: (part: number, indexes: number[]) =>
      lane.add(
        'chunk',
        { v: 1, images: indexes.flatMap((i) => [`${i}`, `${i}.jpg`]), indexes },
        { jobId: jobId(record, `0/${part}`, 0) },
      ),
    /** Rows of images of a chunk, from the image at `from` to the one before `to`. */
    putRows: (from: number, to: number, chunk = 0) =>
      store.putRows(
        'r',
        Array.from({ length: to - from }, (_, i) => ({
          ...{ id: `${from + i}`, uri: `${from + i}.jpg`, generation: 0, at: 1_767_225_600 },
          ...{ place: { chunk, index: from + i }, status: 'classified', predictions: [], fingerprint: 'f' },
        })),
      ),
  };
}

test('a divided chunk that lost its job after a part was finished: the part stays, nothing came twice', async (t) => {
  const { runs, loseJob, putRows, audit, account, add } = await startRun(t);
  await runs.split('r', 0, [4]);
  await putRows(0, 4);
  await runs.finish('r', '0/1');
  await loseJob('0');
  const { withdrawn, progress } = await audit();
  assert.deepEqual([withdrawn, progress.duplicates, progress.state], [['0'], 0, 'complete']);
  assert.deepEqual(await account(), { expected: 4, classified: 4 });
  assert.equal(await add(refs), 6, 'the others come again');
  assert.deepEqual(await account(), { expected: 10, classified: 4, waiting: 6 });
});

test('rows of a lost part stay counted, though other chunks wait', async (t) => {
  const { runs, loseJob, putRows, audit, account, add } = await startRun(t);
  await add([...refs, { id: 'other', uri: 'other.jpg' }]);
  await runs.split('r', 0, [4, 2]);
  // All rows are there, and the worker that wrote those of the first part died before it finished it.
  await putRows(0, 10);
  await loseJob('0');
  await runs.finish('r', '0');
  await runs.finish('r', '0/2');
  assert.deepEqual((await audit()).withdrawn, ['0/1']);
  assert.deepEqual(await account(), { expected: 11, classified: 10, waiting: 1 });
});

test('a lost part beside one that waits: only the lost one is taken back', async (t) => {
  const { runs, loseJob, addPart, putRows, audit, account, add } = await startRun(t);
  await runs.split('r', 0, [4, 3]);
  await addPart(2, [4, 5, 6]);
  await putRows(7, 10);
  await loseJob('0');
  await runs.finish('r', '0');
  // Of the part that waits, one image has its row: it was tried before, and the others were not.
  await putRows(4, 5);
  assert.deepEqual((await audit()).withdrawn, ['0/1']);
  assert.deepEqual(await account(), { expected: 6, classified: 4, waiting: 2 });
  assert.equal(await add(refs), 4);
  assert.deepEqual(await account(), { expected: 10, classified: 4, waiting: 6 });
});

test('ids that did come twice are said, also beside a chunk that lost its job', async (t) => {
  const { runs, lane, loseJob, putRows, audit, account, add } = await startRun(t);
  const twice = { id: 'x', uri: 'x.jpg' };
  await add([twice, twice]);
  await putRows(0, 3);
  await loseJob('0');
  await runs.finish('r', '1');
  await lane.drain();
  const { progress } = await audit();
  // Nobody wrote a row of the second chunk: its two images are those that are missing.
  assert.deepEqual([progress.classified, progress.duplicates], [3, 2]);
  assert.deepEqual(await account(), { expected: 3, classified: 3, duplicates: 2 });
});

test('a divided chunk in the lane of a worker that is gone is taken back, but for images that have rows', async (t) => {
  const { fleet, runs, lane, addPart, putRows, account, add } = await startRun(t);
  await runs.split('r', 0, [4, 2]);
  await addPart(2, [4, 5]);
  await putRows(0, 5);
  await runs.finish('r', '0/1');
  await putRows(6, 8);
  await reclaimHere(fleet, lane);
  assert.deepEqual(await account(), { expected: 7, classified: 7 });
  assert.equal(await add(refs), 3);
  assert.deepEqual(await account(), { expected: 10, classified: 7, waiting: 3 });
});
