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

function formatted(rows: PublicRow[]): { text: string; failed: number } {
  const table = createTable();
  for (const row of rows) table.add(row);
  return { text: table.format(), failed: table.failed };
}

test('each image with its three best labels, then how often each label was best', () => {
  const { text } = formatted([
    classified('a.jpg', ['owl', 0.9], ['cat', 0.0514], ['dog', 0.03], ['fox', 0.01]),
    classified('フクロウ.jpg', ['owl', 0.75], ['fox', 0.25]),
    classified('b.jpg', ['cat', 1]),
  ]);
  assert.equal(
    text,
    'a.jpg         owl 0.900  cat 0.051  dog 0.030\n' +
      'フクロウ.jpg  owl 0.750  fox 0.250\n' +
      'b.jpg         cat 1.000\n\n' +
      'Best label, images: owl 2, cat 1\n',
  );
});

test('failed images with code and reason, counted by code', () => {
  const { text, failed: count } = formatted([
    failed('x.jpg', 'IMAGE_EMPTY', 'Expected bytes, got none.'),
    classified('a.jpg', ['owl', 1]),
    failed('y.jpg', 'IMAGE_CORRUPT', 'It breaks off.'),
    failed('z.jpg', 'IMAGE_EMPTY', 'Expected bytes, got none.'),
  ]);
  assert.equal(count, 3);
  assert.match(text, /^Failed, 3: IMAGE_EMPTY 2, IMAGE_CORRUPT 1$/m);
  assert.match(text, /^x\.jpg {2}IMAGE_EMPTY {4}Expected bytes, got none\.$/m);
  assert.match(text, /^y\.jpg {2}IMAGE_CORRUPT {2}It breaks off\.$/m);
});

test('an image with no prediction above the threshold says so', () => {
  const { text } = formatted([classified('a.jpg')]);
  assert.equal(text, 'a.jpg\n\nBest label, images: (none above the thresho… 1\n');
});

test('names, labels and reasons cannot steer the terminal', () => {
  const { text } = formatted([
    classified('\u001b]0;title\u0007.jpg', ['\u001b[31mred', 1]),
    failed('b.jpg', 'FETCH_FAILED', 'line\r\n\u001b[2J'),
  ]);
  assert.equal([...text].filter((character) => character < ' ' && character !== '\n').length, 0);
});

test('of a million rows the table shows some and counts the rest', () => {
  const images = Array.from({ length: 120 }, (_, i) => classified(`${i}.jpg`, [`label ${i % 30}`, 1]));
  const failures = Array.from({ length: 25 }, (_, i) => failed(`f${i}.jpg`, 'IMAGE_NOT_FOUND', 'gone'));
  const { text, failed: count } = formatted([...images, ...failures]);
  assert.equal(count, 25);
  assert.equal(text.match(/^\d+\.jpg /gm)?.length, 50);
  assert.match(text, /^… 70 more$/m, 'images that are neither shown nor failed');
  assert.equal(text.match(/^f\d+\.jpg /gm)?.length, 20);
  assert.match(text, /^… 5 more$/m);
  assert.match(text, /label 0 4, .*, and 10 labels more$/m);
});
