import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createJudge, thresholdsWith } from '../../../src/results/decisions/judge.ts';
import { judged } from '../../../src/results/rows/exportedRun.ts';
import { isWanted } from '../../../src/results/rows/rowFilter.ts';
import { defineLabelSet, labelSetId } from '../../../src/shared/labels/labelSet.ts';
import { type Thresholds, thresholdsIn } from '../../../src/shared/labels/thresholds.ts';
import { classifiedRow, failedRow } from '../../support/exportedRows.ts';

const labels = ['fox', 'owl', 'bear'];
const set = defineLabelSet({ labels });

function decisionOf(thresholds: Thresholds, predictions: [string, number][], of = set) {
  return createJudge(of, thresholds)(classifiedRow('a.jpg', predictions))!.decision;
}

test('an answer is accepted from its threshold on, and below it is for review or rejected', () => {
  const thresholds = { accept: 0.7, review: 0.3 };
  const decisions = [0.7, 0.69, 0.3, 0.29].map((score) => decisionOf(thresholds, [['fox', score]]));
  assert.deepEqual(decisions, ['accept', 'review', 'review', 'reject']);
  // What is not accepted is looked at, unless somebody says from which score on.
  assert.equal(decisionOf({ accept: 0.7 }, [['fox', 0.01]]), 'review');
  assert.equal(decisionOf({ accept: 0.7 }, []), 'reject');
  assert.equal(createJudge(set, thresholds)(failedRow('f', 'x')), undefined);
});

test('a label has thresholds of its own before those of all', () => {
  const thresholds = { accept: 0.7, review: 0.3, labels: [{ label: 'owl', accept: 0.4 }] };
  assert.equal(decisionOf(thresholds, [['owl', 0.4]]), 'accept');
  assert.equal(decisionOf(thresholds, [['owl', 0.29]]), 'reject');
  assert.equal(decisionOf(thresholds, [['fox', 0.4]]), 'review');
});

test('the best label must lead the next one by the margin', () => {
  const thresholds = { accept: 0.5, margin: 0.25 };
  const rows: [string, number][][] = [
    [
      ['fox', 0.625],
      ['owl', 0.375],
    ],
    [
      ['fox', 0.6],
      ['owl', 0.375],
    ],
    [['fox', 0.5]],
  ];
  assert.deepEqual(
    rows.map((row) => decisionOf(thresholds, row)),
    ['accept', 'review', 'accept'],
  );
});

test('of independent scores each label stands for itself', () => {
  const several = defineLabelSet({ labels, scoreFunction: 'sigmoid' });
  const judge = createJudge(several, { accept: 0.5, review: 0.2 });
  const found = judge(
    classifiedRow('a.jpg', [
      ['fox', 0.75],
      ['owl', 0.5],
      ['bear', 0.125],
    ]),
  );
  assert.deepEqual(found, {
    decision: 'accept',
    answers: [
      { label: 'fox', score: 0.75, decision: 'accept' },
      { label: 'owl', score: 0.5, decision: 'accept' },
    ],
  });
  const rejected = judge(classifiedRow('b.jpg', [['owl', 0.125]]));
  assert.deepEqual(rejected?.answers, [{ label: 'owl', score: 0.125, decision: 'reject' }]);
});

test('rows are filtered by what is decided about them', () => {
  const run = { judge: createJudge(set, { accept: 0.5 }) };
  const rows = [
    classifiedRow('a', [['fox', 0.75]]),
    classifiedRow('b', [['fox', 0.25]]),
    failedRow('c', 'x'),
  ];
  const idsOf = (decision: 'accept' | 'review') =>
    rows
      .map((row) => judged(row, run))
      .filter((row) => isWanted(row, { decision }))
      .map(({ id }) => id);
  assert.deepEqual([idsOf('accept'), idsOf('review')], [['a'], ['b']]);
});

test('thresholds are no part of a label set, and flags go before those that were there', () => {
  const input = {
    labels: ['fox', { label: 'owl', accept: 0.4, review: 0.1 }, 'bear'],
    accept: 0.7,
    margin: 0.1,
  };
  assert.equal(labelSetId(defineLabelSet(input)), labelSetId(set));
  const found = thresholdsIn(input);
  assert.deepEqual(found, { accept: 0.7, margin: 0.1, labels: [{ label: 'owl', accept: 0.4, review: 0.1 }] });
  assert.deepEqual(thresholdsWith(found, { accept: 0.9, review: 0.2 }), {
    ...found,
    accept: 0.9,
    review: 0.2,
  });
  assert.equal(thresholdsIn({ labels }), undefined);
  assert.equal(thresholdsWith(undefined, {}), undefined);
});

test('thresholds that cannot be meant are refused', () => {
  const refused: [Thresholds, RegExp][] = [
    [{ accept: 70 }, /from 0 to 1 for the threshold accept of all labels, got 70/],
    [{ accept: 0.5, labels: [{ label: 'owl', review: 0.6 }] }, /review of "owl" to be at most accept/],
    [{ labels: [{ label: 'dog', accept: 0.6 }] }, /for labels of the run, got one for "dog"/],
  ];
  for (const [thresholds, message] of refused)
    assert.throws(() => createJudge(set, thresholds), { code: 'USAGE', message });
  const one = defineLabelSet({ labels, topK: 1 });
  assert.throws(() => createJudge(one, { margin: 0.1 }), { code: 'USAGE', message: /--top-k 1/ });
  createJudge(defineLabelSet({ labels, scoreFunction: 'logit' }), { accept: 25 });
  assert.throws(() => thresholdsIn({ labels, accept: 'high' as never }), { code: 'LABEL_SET_INVALID' });
});
