import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Account, accountOf, type Run } from '../../../src/shared/runs/run.ts';

function runWith(about: Partial<Run>): Run {
  const known = {
    run: 'r',
    model: 'm',
    labelSet: 'l',
    lane: '{b}',
    createdAt: '',
    state: 'open',
    store: 'redis',
  } as const;
  const none = {
    birth: undefined,
    source: undefined,
    paused: undefined,
    maxFailureRate: undefined,
    storeAddress: undefined,
  };
  return { ...known, ...none, images: 0, pending: 0, retrying: 0, chunks: 0, ...about };
}

function rows(classified: number, failed: number) {
  return { classified, failed, failures: {} };
}

function addsUp(account: Account): Account {
  const { expected, waiting, active, classified, failed, skipped } = account;
  assert.equal(waiting + active + classified + failed + skipped, expected);
  return account;
}

/** The parts that are not zero. */
function accounted(...args: Parameters<typeof accountOf>) {
  return Object.fromEntries(Object.entries(addsUp(accountOf(...args))).filter(([, count]) => count !== 0));
}

test('what has no row is in workers’ hands or waiting', () => {
  const run = runWith({ images: 100, pending: 60 });
  assert.deepEqual(accounted(run, rows(38, 2), 16), {
    ...{ expected: 100, classified: 38, failed: 2, active: 16, waiting: 44 },
  });
  // Of the 60 in hand, 50 have their row.
  assert.deepEqual(accounted(run, rows(90, 0), 60), { expected: 100, classified: 90, active: 10 });
});

test('fewer rows than images of finished pieces are ids that came twice', () => {
  const run = runWith({ images: 100, pending: 0, state: 'complete' });
  assert.deepEqual(accounted(run, rows(97, 0), 0), { expected: 97, classified: 97, duplicates: 3 });
});

test('rows are compared with the record as it was before they were read', () => {
  const before = runWith({ images: 100, pending: 64 });
  const after = runWith({ images: 100, pending: 0 });
  assert.deepEqual(accounted(after, rows(36, 0), 0, before), { expected: 100, classified: 36, waiting: 64 });
  assert.equal(accountOf(after, rows(36, 0), 0).duplicates, 64, 'as if there were no record before');
});

test('images that are tried again have their failed rows, and are not expected twice', () => {
  const run = runWith({ images: 100, pending: 10, retrying: 10 });
  assert.deepEqual(accounted(run, rows(90, 10), 0), {
    ...{ expected: 100, classified: 90, failed: 10, retrying: 10 },
  });
});

test('what a cancelled run did not get to is skipped, whoever holds it', () => {
  const run = runWith({ images: 100, pending: 60, retrying: 5, state: 'cancelled' });
  assert.deepEqual(accounted(run, rows(40, 5), 16), {
    expected: 100,
    classified: 40,
    failed: 5,
    skipped: 55,
  });
});

test('it adds up of any numbers, also of those that cannot be', () => {
  for (const classified of [0, 7, 200]) {
    for (const pending of [0, 50, 100]) {
      for (const active of [0, 64, 1_000]) {
        for (const state of ['open', 'sealed', 'cancelled'] as const)
          addsUp(accountOf(runWith({ images: 100, pending, state }), rows(classified, 1), active));
      }
    }
  }
});
