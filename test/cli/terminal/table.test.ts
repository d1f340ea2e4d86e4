import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTable } from '../../../src/cli/terminal/table.ts';
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

function formatted(rows: PublicRow[], columns?: number): string {
  const table = createTable();
  for (const row of rows) table.add(row);
  return table.format(columns);
}

test('each image with its three best labels', () => {
  const text = formatted([
    classified('a.jpg', ['owl', 0.9], ['cat', 0.0514], ['dog', 0.03], ['fox', 0.01]),
    classified('フクロウ.jpg', ['owl', 0.75], ['fox', 0.25]),
    classified('b.jpg', ['cat', 1]),
  ]);
  assert.equal(
    text,
    'a.jpg         owl 0.900  cat 0.051  dog 0.030\n' +
      'フクロウ.jpg  owl 0.750  fox 0.250\n' +
      'b.jpg         cat 1.000\n',
  );
});

test('on a terminal each line has as many labels as fit, and the best one always', () => {
  const rows = [classified('a/'.repeat(40), ['long label', 0.5], ['other label', 0.4], ['c', 0.1])];
  for (const [columns, labels] of [
    [40, 1],
    [80, 2],
    [120, 3],
  ] as const) {
    const line = formatted(rows, columns).trimEnd();
    assert.equal(line.match(/0\.\d{3}/g)?.length, labels, line);
    assert.ok(line.length <= columns, line);
    assert.match(line, /^…/, 'the end of a path tells files apart');
  }
});

test('failed images with code and reason', () => {
  const text = formatted([
    failed('x.jpg', 'IMAGE_EMPTY', 'Expected bytes, got none.'),
    classified('a.jpg', ['owl', 1]),
    failed('y.jpg', 'IMAGE_CORRUPT', 'It breaks off.'),
  ]);
  assert.match(text, /^x\.jpg {2}IMAGE_EMPTY {4}Expected bytes, got none\.$/m);
  assert.match(text, /^y\.jpg {2}IMAGE_CORRUPT {2}It breaks off\.$/m);
});

test('names, labels and reasons cannot steer the terminal', () => {
  const text = formatted([
    classified('\u001b]0;title\u0007.jpg', ['\u001b[31mred', 1]),
    failed('b.jpg', 'FETCH_FAILED', 'line\r\n\u001b[2J'),
  ]);
  assert.equal([...text].filter((character) => character < ' ' && character !== '\n').length, 0);
});

test('of a million rows the table shows some and counts the rest', () => {
  const images = Array.from({ length: 120 }, (_, i) => classified(`${i}.jpg`, [`label ${i % 30}`, 1]));
  const failures = Array.from({ length: 25 }, (_, i) => failed(`f${i}.jpg`, 'IMAGE_NOT_FOUND', 'gone'));
  const text = formatted([...images, ...failures]);
  assert.equal(text.match(/^\d+\.jpg /gm)?.length, 50);
  assert.match(text, /^… 70 more$/m, 'images that are neither shown nor failed');
  assert.equal(text.match(/^f\d+\.jpg /gm)?.length, 20);
  assert.match(text, /^… 5 more$/m);
});
