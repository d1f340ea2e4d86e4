// What a worker does with a job, with the functions it is handed in place of store, ledger and pipeline.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClipfleetError } from '../../../src/shared/errors.ts';
import { defineLabelSet } from '../../../src/shared/labels/labelSet.ts';
import type { Run } from '../../../src/shared/runs/run.ts';
import { type ConsumeOptions, createConsume } from '../../../src/worker/jobs/consume.ts';
import { createIntake } from '../../../src/worker/jobs/intake.ts';
import { createLabelImages } from '../../../src/worker/jobs/labelImages.ts';
import type { ImageOutcome } from '../../../src/worker/verdicts/imageOutcome.ts';
import type { CallBack } from '../../../src/worker/verdicts/workInHand.ts';
import { deliver, keepRows, model, silent, tellLedger, withoutLosses } from '../../support/heart.ts';
import { matrix } from '../../support/threeLabels.ts';

const labels = { labelSet: defineLabelSet({ labels: ['fox', 'bear', 'owl'] }), matrix, truncated: [] };

/** A worker that classifies all images but those whose id is that of an error, and what it tells and keeps. */
function openWorker(about: Partial<ConsumeOptions> & { ledger?: Parameters<typeof tellLedger>[0] } = {}) {
  const store = keepRows();
  const runs = {
    ...tellLedger(about.ledger),
    get: async () => ({ model, labelSet: 'l', store: 'redis' }) as Run,
  };
  const controller = new AbortController();
  let calledBack: CallBack | undefined;
  const inHand: string[] = [];
  const consume = createConsume({
    ...withoutLosses(),
    intake: createIntake({ store, runs, model, newerGraceMs: 0, log: silent }),
    store,
    runs,
    workInHand: {
      take(run, lane, canShare) {
        inHand.push(`${run} ${lane}${canShare ? ' shared' : ''}`);
        return {
          signal: controller.signal,
          get calledBack() {
            return calledBack;
          },
          done: () => void inHand.pop(),
        };
      },
    },
    prepareLabels: async () => ({ kind: 'ready', labels }),
    labelImages: createLabelImages({
      async classify({ id }, _, { signal }) {
        signal.throwIfAborted();
        if (id === 'slow') throw new ClipfleetError('FETCH_TIMEOUT', 'Nothing came.');
        if (id === 'broken') throw new ClipfleetError('IMAGE_CORRUPT', 'It breaks off.');
        if (id === 'lost') throw new ClipfleetError('SESSION_LOST', 'The session thread ended.');
        return { embedding: Float32Array.of(1, 0), predictions: [{ index: 1, score: 0.5 }] };
      },
      fingerprint: 'f',
      hostPatienceMs: 0,
      log: silent,
    }),
    keepVectors: { keep: async () => {} },
    checkFailures: async (run) => void runs.told.push(`failures of ${run}`),
    batchSize: 2,
    ...about,
  });
  const statuses = () => Object.fromEntries([...store.rows].map(([id, { status }]) => [id, status]));
  const callBack = (why: CallBack) => {
    calledBack = why;
    controller.abort();
  };
  return { consume, store, told: runs.told, inHand, statuses, callBack };
}

test('a job: begun, labelled, stored, finished, done', async () => {
  const { consume, statuses, told, inHand } = openWorker();
  assert.deepEqual(await consume(deliver(['a', 'broken']).delivery), { kind: 'done' });
  assert.deepEqual(statuses(), { a: 'classified', broken: 'failed' });
  assert.deepEqual(told, ['begin r 0 2', 'failures of r', 'finish r 0 whole']);
  assert.deepEqual(inHand, [], 'the chunk is let go of');
});

test('a second delivery does only what has no row', async () => {
  const { consume, store, told } = openWorker();
  await consume(deliver(['a', 'slow']).delivery);
  const first = store.rows.get('a');
  const { delivery } = deliver(['a', 'slow'], { isFirst: false, isLastAttempt: true });
  assert.deepEqual(await consume(delivery), { kind: 'done' });
  assert.equal(store.rows.get('a'), first, 'the first row stands');
  assert.equal(store.rows.get('slow')?.status, 'failed', 'its last attempt');
  assert.deepEqual(told.slice(2), ['begin r 0 2', 'failures of r', 'finish r 0 whole']);
});

test('rows are stored before the ledger is told that the chunk is finished', async () => {
  const store = keepRows();
  const order: string[] = [];
  const putRows: typeof store.putRows = async (run, rows) => {
    await new Promise((resolve) => setImmediate(resolve));
    order.push('stored');
    return store.putRows(run, rows);
  };
  const ledger = tellLedger();
  const finish = async () => void order.push('finished');
  const { consume } = openWorker({ store: { ...store, putRows }, runs: { ...ledger, finish } });
  await consume(deliver(['a']).delivery);
  assert.deepEqual(order, ['stored', 'finished']);
});

test('images whose error may pass leave the job for another attempt, and let go of the chunk', async () => {
  const { consume, statuses, told } = openWorker();
  assert.equal((await consume(deliver(['a', 'slow']).delivery)).kind, 'again');
  assert.deepEqual(statuses(), { a: 'classified' });
  assert.deepEqual(told, ['begin r 0 2', 'release r 0']);
});

test('a run that is paused, cancelled or gone takes no image', async () => {
  for (const [begin, kind] of [
    ['paused', 'parked'],
    ['cancelled', 'cancelled'],
    ['unknown', 'refused'],
  ] as const) {
    const { consume, statuses, told } = openWorker({ ledger: { begin } });
    assert.equal((await consume(deliver(['a']).delivery)).kind, kind);
    assert.deepEqual([statuses(), told], [{}, ['begin r 0 1']]);
  }
});

test('images that others want become parts; the chunk is finished without them', async () => {
  const { consume, told, callBack } = openWorker();
  callBack('shared');
  const { delivery, added } = deliver(['a', 'b', 'c']);
  assert.deepEqual(await consume(delivery), { kind: 'done' });
  assert.deepEqual(told, ['begin r 0 3', 'split r 0 2,1', 'finish r 0']);
  assert.deepEqual(
    added.map(({ id }) => id),
    ['r.0/1.0', 'r.0/2.0'],
  );
});

test('a chunk that another delivery has finished comes back at once', async () => {
  const { consume, told, callBack } = openWorker({ ledger: { split: 0 } });
  callBack('shared');
  assert.deepEqual(await consume(deliver(['a']).delivery), { kind: 'postponed', delayMs: 0 });
  assert.deepEqual(told.at(-1), 'release r 0');
});

test('images of a run that is held are neither done nor given away', async () => {
  for (const [why, kind] of [
    ['paused', 'parked'],
    ['cancelled', 'cancelled'],
  ] as const) {
    const { consume, told, callBack } = openWorker();
    callBack(why);
    const { delivery, added } = deliver(['a', 'b']);
    assert.equal((await consume(delivery)).kind, kind);
    assert.deepEqual([told, added], [['begin r 0 2', 'release r 0'], []]);
  }
});

test('parts, interactive jobs and divided chunks are not shared', async () => {
  const seen: (boolean | undefined)[] = [];
  const takeWith = async (id: string, urgent: boolean, begin: 'work' | 'divided') => {
    const workInHand = {
      take(_run: string, _lane: string, canShare: boolean) {
        seen.push(canShare);
        return { signal: new AbortController().signal, calledBack: undefined, done() {} };
      },
    };
    const { consume } = openWorker({ workInHand, ledger: { begin } });
    await consume(deliver(['a'], { id, urgent }).delivery);
  };
  await takeWith('r.0.0', false, 'work');
  await takeWith('r.0/1.0', false, 'work');
  await takeWith('r.0.0', true, 'work');
  await takeWith('r.0.0', false, 'divided');
  assert.deepEqual(seen, [true, false, false, false]);
});

test('labels that are for newer workers postpone the job; without an image to do nobody asks for labels', async () => {
  let asked = 0;
  const prepareLabels = async () => {
    asked++;
    return { kind: 'postponed', delayMs: 10_000 } as const;
  };
  const { consume, store, told } = openWorker({ prepareLabels });
  assert.deepEqual(await consume(deliver(['a']).delivery), { kind: 'postponed', delayMs: 10_000 });
  assert.equal(told.at(-1), 'release r 0');
  await store.putRows('r', [{ id: 'a', generation: 0 } as never]);
  assert.deepEqual(await consume(deliver(['a'], { isFirst: false }).delivery), { kind: 'done' });
  assert.equal(asked, 1);
});

test('the store is not asked for rows on the first delivery of new images, and is for those that are tried again', async () => {
  const asked: string[] = [];
  const { consume, store } = openWorker({ store: { ...keepRows(), find: noteAsked } });
  async function noteAsked(run: string, ids: readonly string[]) {
    asked.push(...ids);
    return store.find(run, ids);
  }
  await consume(deliver(['a']).delivery);
  await consume(deliver(['b'], { isFirst: false }).delivery);
  await consume(deliver(['c'], { id: 'r.0.1' }).delivery);
  assert.deepEqual(asked, ['b', 'c']);
});

test('what is no image’s fault is thrown on, after the chunk is let go of, and says what went wrong first', async () => {
  const { consume, told, inHand, statuses } = openWorker();
  await assert.rejects(consume(deliver(['a', 'lost']).delivery), { code: 'SESSION_LOST' });
  assert.deepEqual([told, inHand, statuses()], [['begin r 0 2', 'release r 0'], [], {}]);
  const away = async () => {
    throw new Error('Redis is away');
  };
  const ledger = { ...tellLedger(), release: away };
  const { consume: other } = openWorker({ runs: ledger });
  await assert.rejects(other(deliver(['lost']).delivery), { code: 'SESSION_LOST' });
});

test('a row is stored only after the vectors of its job are kept', async () => {
  const order: string[] = [];
  const store = keepRows();
  const { putRows } = store;
  store.putRows = (run, rows) => {
    order.push(`rows ${rows.length}`);
    return putRows(run, rows);
  };
  const keepVectors = {
    async keep(_: unknown, outcomes: readonly ImageOutcome[]) {
      await new Promise(setImmediate);
      order.push(...outcomes.map(({ kind }) => kind));
    },
  };
  const { consume } = openWorker({ store, keepVectors });
  assert.deepEqual(await consume(deliver(['a', 'broken']).delivery), { kind: 'done' });
  assert.deepEqual(order, ['classified', 'failed', 'rows 2']);
});

test('where vectors cannot be kept, no row is stored and the chunk is let go of', async () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  const keepVectors = { keep: () => Promise.reject(full) };
  const { consume, statuses, told } = openWorker({ keepVectors });
  await assert.rejects(consume(deliver(['a']).delivery), full);
  assert.deepEqual(statuses(), {});
  assert.equal(told.at(-1), 'release r 0');
});
