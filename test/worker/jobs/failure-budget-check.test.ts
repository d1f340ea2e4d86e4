import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Run } from '../../../src/shared/runs/run.ts';
import { createFailureBudget } from '../../../src/worker/jobs/failureBudget.ts';
import { silent } from '../../support/heart.ts';

/** Why the run was paused after so many images; undefined where it was not. */
async function pausedFor(classified: number, failed: number, record: Partial<Run> | undefined) {
  let why: string | undefined;
  const failures = { FETCH_FAILED: failed - 1, IMAGE_EMPTY: 1 };
  const check = createFailureBudget({
    runs: { get: async () => record && ({ state: 'sealed', ...record } as Run) },
    store: { counts: async () => ({ classified, failed, failures }) },
    control: {
      async pause(_, reason) {
        why = reason;
      },
    },
    log: silent,
  });
  await check('r');
  return why;
}

test('a run is paused above its share of failed images, with the most frequent code', async () => {
  const why =
    '21 of 100 images failed, more than --max-failure-rate 0.2 allows, 20 of them with FETCH_FAILED';
  assert.equal(await pausedFor(79, 21, { maxFailureRate: 0.2 }), why);
});

test('it is left alone at its share, before 100 images, without a budget, held, and gone', async () => {
  const maxFailureRate = 0.2;
  assert.equal(await pausedFor(80, 20, { maxFailureRate }), undefined);
  assert.equal(await pausedFor(0, 99, { maxFailureRate }), undefined);
  assert.equal(await pausedFor(0, 500, {}), undefined);
  assert.equal(await pausedFor(0, 500, { maxFailureRate, paused: 'by hand' }), undefined);
  assert.equal(await pausedFor(0, 500, { maxFailureRate, state: 'cancelled' }), undefined);
  assert.equal(await pausedFor(0, 500, undefined), undefined);
});
