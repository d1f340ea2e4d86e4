import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRunSummary } from '../../../src/cli/terminal/runSummary.ts';
import type { ErrorCode } from '../../../src/shared/errors.ts';
import type { PublicRow } from '../../../src/shared/rows/row.ts';

const about = { run: 'r', model: 'm@1:fp32', labelSet: 'l', generation: 0, at: '2026-01-01T00:00:00.000Z' };

function classified(id: string, ...predictions: [string, number][]): PublicRow {
  const scored = predictions.map(([label, score]) => ({ label, score }));
  return { ...about, id, uri: id, status: 'classified', predictions: scored, fingerprint: 'f' };
}

function failed(id: string, code: ErrorCode, message: string): PublicRow {
  return { ...about, id, uri: id, status: 'failed', error: { code, message } };
}

function summaryOf(rows: PublicRow[]) {
  const summary = createRunSummary();
  for (const row of rows) summary.add(row);
  return summary;
}

test('how often each label was best, as a number, a share and a bar', () => {
  const rows = [
    ...Array.from({ length: 12 }, (_, i) => classified(`owl ${i}`, ['owl', 0.9])),
    ...Array.from({ length: 3 }, (_, i) => classified(`cat ${i}`, ['cat', 0.8])),
    classified('none'),
  ];
  const lines = summaryOf(rows).format().split('\n').slice(0, 4);
  assert.deepEqual(lines, [
    'Best label',
    `owl                         12   75.0 %  ${'█'.repeat(24)}`,
    `cat                          3   18.8 %  ${'█'.repeat(6)}`,
    `(none above the threshold)   1    6.3 %  ${'█'.repeat(2)}`,
  ]);
});

test('the images of the lowest best score, the lowest first', () => {
  const scores = [0.9, 0.31, 0.8, 0.2, 0.7, 0.6, 0.5, 0.4];
  const text = summaryOf(scores.map((score, i) => classified(`${i}.jpg`, ['owl', score]))).format();
  const [, leastSure] = text.split('Least sure\n');
  assert.deepEqual(leastSure!.trim().split('\n'), [
    '3.jpg  owl 0.200',
    '1.jpg  owl 0.310',
    '7.jpg  owl 0.400',
    '6.jpg  owl 0.500',
    '5.jpg  owl 0.600',
  ]);
  assert.doesNotMatch(summaryOf([classified('a', ['owl', 0.1])]).format(), /Least sure/);
});

test('failures by code, the most frequent first, each with one example', () => {
  const summary = summaryOf([
    failed('x.jpg', 'IMAGE_CORRUPT', 'It breaks off.'),
    failed('y.jpg', 'IMAGE_EMPTY', 'Expected bytes, got none.'),
    failed('z.jpg', 'IMAGE_EMPTY', 'Expected bytes, got none.'),
  ]);
  assert.equal(
    summary.format(),
    'Failed: 3\n' +
      '2 IMAGE_EMPTY, such as y.jpg: Expected bytes, got none.\n' +
      '1 IMAGE_CORRUPT, such as x.jpg: It breaks off.\n',
  );
});

test('of many labels the rest is counted, and no text steers the terminal', () => {
  const many = Array.from({ length: 30 }, (_, i) => classified(`${i}`, [`label ${i}`, 1]));
  assert.match(summaryOf(many).format(), /^… 10 images of 10 labels more$/m);
  const text = summaryOf([
    ...Array.from({ length: 6 }, () => classified('\u001b[2J', ['\u001b[31mred', 1])),
    failed('b\u0007', 'FETCH_FAILED', 'line\r\n\u001b[2J'),
  ]).format();
  assert.equal([...text].filter((character) => character < ' ' && character !== '\n').length, 0);
});
