import assert from 'node:assert/strict';
import { test } from 'node:test';
import { html } from '../../../src/results/report/html.ts';
import type { ReportAbout } from '../../../src/results/report/provenance.ts';
import { reportPage } from '../../../src/results/report/reportPage.ts';
import { countRows, type RowTotals, sampleRows } from '../../../src/results/report/reportRows.ts';
import { defineLabelSet } from '../../../src/shared/labels/labelSet.ts';
import { awkwardRows, classifiedRow, failedRow } from '../../support/exportedRows.ts';

async function* each<T>(items: Iterable<T>) {
  yield* items;
}

function about(labels: string[]): ReportAbout {
  const times = { createdAt: '2026-11-27T00:00:00.000Z', madeAt: '2026-11-28T00:00:00.000Z' };
  const labelSet = defineLabelSet({ labels });
  const named = { run: 'r', model: 'm@1:fp32', labelSetId: 's', source: undefined };
  return { ...named, ...times, labelSet, state: 'complete', expected: 4 };
}

test('what comes from outside is text', () => {
  const id = '<script>alert(1)</script> & "quoted" \'too\' `and` \u0000\u001b';
  assert.equal(html`<b title="${id}">${id}</b>`.text.replaceAll('\u{fffd}', '?').includes('<script>'), false);
  assert.equal(html`<i>${['<', html`<br>`, 2, undefined, false]}</i>`.text, '<i>&#60;<br>2</i>');
});

test('rows are counted, the least sure first, failures with examples', async () => {
  const totals = await countRows(each([...awkwardRows, failedRow('b', 'x')]));
  assert.deepEqual([totals.rows, totals.unlabeled], [5, 1]);
  assert.deepEqual(
    [...totals.labels],
    [
      ['=HYPERLINK("x")', 1],
      ['fox', 1],
    ],
  );
  assert.deepEqual(
    totals.unsure.map(({ id }) => id),
    ['none.jpg', '日本 🦊.jpg', '1234567890123456781'],
  );
  assert.deepEqual(totals.failures.get('IMAGE_EMPTY'), {
    count: 2,
    examples: [
      { id: '-7', message: 'line\n"two"' },
      { id: 'b', message: 'x' },
    ],
  });
  assert.deepEqual([totals.scores.min, totals.scores.max], [0.5, Math.fround(0.9123)]);
});

test('of a label the lowest scores are shown and others by chance, the same each time', async () => {
  const rows = Array.from({ length: 1_000 }, (_, i) => classifiedRow(`${i}.jpg`, [['owl', 0.2 + i / 2_000]]));
  const scores = { min: 0.2, max: 0.7 };
  const how = { lowest: 3, byChance: 5 };
  const { bins, byLabel } = await sampleRows(each(rows), { scores, labels: ['owl'] }, how);
  assert.equal(
    bins.reduce((sum, count) => sum + count),
    1_000,
  );
  assert.deepEqual(bins, byLabel.get('owl')!.bins);
  const ids = byLabel.get('owl')!.samples.map(({ id }) => id);
  assert.deepEqual([ids.length, ids.slice(0, 3)], [8, ['0.jpg', '1.jpg', '2.jpg']]);
  const again = await sampleRows(each([...rows].reverse()), { scores, labels: ['owl'] }, how);
  assert.deepEqual(
    again.byLabel.get('owl')!.samples.map(({ id }) => id),
    ids,
  );
});

test('100,000 rows of 5,000 labels with long names make less than 5 MB', async () => {
  const labels = Array.from({ length: 5_000 }, (_, i) => `label ${i} ${'x'.repeat(100)}`);
  function* rows() {
    for (let i = 0; i < 100_000; i++) {
      const id = `${i}/${'y'.repeat(200)}`;
      if (i % 10 === 0) yield failedRow(id, 'z'.repeat(1_000));
      else yield classifiedRow(id, [[labels[(i * 7) % 5_000]!, (i % 997) / 1_000]]);
    }
  }
  const totals: RowTotals = await countRows(each(rows()));
  const shown = [...totals.labels.keys()].slice(0, 24);
  const how = { scores: totals.scores, labels: shown };
  const sampled = await sampleRows(each(rows()), how, { lowest: 3, byChance: 5 });
  // As large as pictures become: the command stops at 3.5 MB of them.
  const url = `data:image/webp;base64,${'A'.repeat(3_500_000 / 216)}`;
  const page = reportPage({ about: about(labels), totals, ...sampled, thumbnailOf: () => ({ url }) });
  assert.ok(Buffer.byteLength(page) < 5_000_000, `${Buffer.byteLength(page)} bytes`);
  assert.match(page, /4300 more labels/);
});
