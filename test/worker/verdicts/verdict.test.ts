// What becomes of a job, of what became of its images.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClassifiedRow, FailedRow } from '../../../src/shared/rows/row.ts';
import { type ImageOutcome, rowsOf } from '../../../src/worker/verdicts/imageOutcome.ts';
import {
  isOutOfPatience,
  postponedUntil,
  type SettledImages,
  verdictOf,
} from '../../../src/worker/verdicts/jobVerdict.ts';

const base = { uri: '', generation: 0, place: { chunk: 0, index: 0 }, at: 0 };
const classifiedRow = (id: string): ClassifiedRow => ({
  ...{ id, ...base, status: 'classified' },
  ...{ predictions: [], fingerprint: 'f' },
});
const failedRow = (id: string): FailedRow => ({
  ...{ id, ...base, status: 'failed' },
  error: { code: 'FETCH_FAILED', message: `${id} broke off` },
});
const embedding = Float32Array.of(1);
const good: ImageOutcome = { kind: 'classified', row: classifiedRow('good'), embedding };
const bad: ImageOutcome = { kind: 'failed', row: failedRow('bad') };
const again: ImageOutcome = { kind: 'again', row: failedRow('again') };
const waits: ImageOutcome = { kind: 'wait', waitMs: 60_000, refused: false };
const refused: ImageOutcome = { kind: 'wait', waitMs: 60_000, refused: true };
const calledBack: ImageOutcome = { kind: 'calledBack' };

function verdict(outcomes: ImageOutcome[], about: Partial<SettledImages> = {}) {
  const known = { run: 'r', isLastAttempt: false, calledBack: undefined, given: 0, isOvertaken: false };
  return verdictOf({ ...known, refusedSince: 0, now: 1_000, ...about, outcomes });
}

test('a job is done when each image has its row, was given away, or there was none to do', () => {
  assert.deepEqual(verdict([]), { kind: 'done' });
  assert.deepEqual(verdict([good, bad]), { kind: 'done' });
  assert.deepEqual(verdict([good, again], { isLastAttempt: true }), { kind: 'done' });
  assert.deepEqual(verdict([good, calledBack], { calledBack: 'shared', given: 1 }), { kind: 'done' });
});

test('images whose error may pass spend an attempt, while one is left', () => {
  const { kind, ...about } = verdict([good, again, again]);
  assert.equal(kind, 'again');
  assert.deepEqual(about, {
    why: '2 of 3 images to try again, the first: again broke off',
    refusedSince: 0,
  });
});

test('images that wait for their host postpone the job, unless others spend an attempt', () => {
  const waiting = verdict([good, waits]);
  assert.ok(waiting.kind === 'postponed' && waiting.delayMs >= 60_000);
  assert.equal(verdict([waits, again]).kind, 'again');
  assert.equal(verdict([waits, again], { isLastAttempt: true }).kind, 'postponed');
});

test('images that did not begin follow their run: parked or cancelled, whatever became of the others', () => {
  const paused = verdict([good, again, calledBack], { calledBack: 'paused' });
  assert.deepEqual(paused, { kind: 'parked', run: 'r' });
  assert.deepEqual(verdict([good, calledBack], { calledBack: 'cancelled' }), { kind: 'cancelled' });
  // Some were given away before the run was paused; one was not.
  const both = verdict([calledBack, calledBack], { calledBack: 'paused', given: 1 });
  assert.equal(both.kind, 'parked');
});

test('a chunk that another delivery has changed comes back at once', () => {
  assert.deepEqual(verdict([calledBack], { calledBack: 'shared', isOvertaken: true }), {
    ...{ kind: 'postponed', delayMs: 0 },
  });
});

test('rows are stored of images that are final', () => {
  const ids = (isLastAttempt: boolean) =>
    rowsOf([good, bad, again, waits, calledBack], isLastAttempt).map(({ id }) => id);
  assert.deepEqual(ids(false), ['good', 'bad']);
  assert.deepEqual(ids(true), ['good', 'bad', 'again']);
});

test('a job remembers since when its images are refused, until one gets through', () => {
  const since = (outcomes: ImageOutcome[], refusedSince: number) => {
    const result = verdict([...outcomes, waits], { refusedSince });
    return result.kind === 'postponed' ? result.refusedSince : undefined;
  };
  assert.equal(since([], 0), 0, 'never refused');
  assert.equal(since([refused], 0), 1_000, 'the first refusal counts');
  assert.equal(since([refused], 500), 500);
  assert.equal(since([], 500), 500, 'waiting for a turn says nothing');
  assert.equal(since([good], 500), 0, 'one got through');
  assert.equal(since([good, refused], 500), 1_000, 'one got through, another is refused from now on');
});

test('patience ends so long after the first refusal, and never before one', () => {
  assert.equal(isOutOfPatience(0, 1_000, 0), false);
  assert.equal(isOutOfPatience(500, 1_000, 499), true);
  assert.equal(isOutOfPatience(500, 1_000, 500), false);
});

test('a job is postponed until the soonest of its hosts, never before, and not for less than a second', () => {
  for (let i = 0; i < 100; i++) {
    const { delayMs } = postponedUntil([90_000, 60_000]);
    assert.ok(delayMs >= 60_000 && delayMs < 90_000, `${delayMs} ms`);
    assert.ok(postponedUntil([1]).delayMs >= 1_000);
  }
});
