import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { inGroups, writeRows } from '../../../src/results/exports/writeRows.ts';
import { openParquet } from '../../../src/results/formats/parquetFile.ts';
import { openLineOutput } from '../../../src/results/outputs/lineOutput.ts';
import { openPartedOutput } from '../../../src/results/outputs/partedOutput.ts';
import type { ExportRow } from '../../../src/results/rows/exportedRun.ts';
import { isWanted } from '../../../src/results/rows/rowFilter.ts';
import { leastSureFirst } from '../../../src/results/rows/sortedRows.ts';
import { awkwardRows, classifiedRow, exportedRun, failedRow } from '../../support/exportedRows.ts';
import { temporaryFolder } from '../../support/support.ts';

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function gathered<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

test('a filter asks the best label, its score with both bounds, and the status', () => {
  const idsOf = (filter: Parameters<typeof isWanted>[1]) =>
    awkwardRows.filter((row) => isWanted(row, filter)).map(({ id }) => id);
  const all = awkwardRows.map(({ id }) => id);
  assert.deepEqual(idsOf({}), all);
  assert.deepEqual(idsOf({ labels: ['fox'] }), [all[1]]);
  assert.deepEqual(idsOf({ minScore: 0.9123 }), [all[0]]);
  assert.deepEqual(idsOf({ maxScore: 0.9123 }), all.slice(0, 2));
  assert.deepEqual(idsOf({ minScore: 0.6, maxScore: 0.9 }), []);
  assert.deepEqual(idsOf({ status: 'failed' }), ['-7']);
  assert.deepEqual(idsOf({ status: 'classified' }), all.slice(0, 3));
});

test('the least sure come first, also of more rows than are sorted in memory', async () => {
  const scores = Array.from({ length: 57 }, (_, i) => ((i * 23) % 57) / 57);
  const rows: ExportRow[] = scores.map((score, i) => classifiedRow(String(i), [['fox', score]]));
  rows.splice(20, 0, failedRow('f', ''), classifiedRow('none', []));
  for (const partRows of [10, 1_000]) {
    const sorted = await gathered(leastSureFirst(each(rows), partRows));
    assert.equal(sorted.length, 59);
    // A score of 0 is as unsure as no label at all.
    assert.deepEqual(new Set(sorted.slice(0, 2).map(({ id }) => id)), new Set(['none', '0']));
    assert.equal(sorted.at(-1)!.id, 'f');
    const order = sorted.slice(2, -1).map((row) => row.status === 'classified' && row.predictions[0]!.score);
    assert.deepEqual(
      order,
      scores
        .filter((score) => score > 0)
        .map(Math.fround)
        .sort(),
    );
  }
});

test('rows are limited, joined and counted on their way', async () => {
  const lines: ExportRow[] = [];
  const output = {
    write: async (row: ExportRow) => lines.push(row) < 2,
    end: async () => ['Left out.'],
    abandon: async () => {},
  };
  const told: number[][] = [];
  const source = new Map([['日本 🦊.jpg', { owner: 'Ann' }]]);
  const result = await writeRows(inGroups(each(awkwardRows), 2), output, {
    topK: 1,
    source,
    onRows: (...counts) => told.push(counts),
    labels: ['fox'],
  });
  assert.deepEqual(result, { written: 1, leftOut: ['Left out.'] });
  assert.deepEqual(told, [
    [2, 1],
    [4, 1],
  ]);
  const [line] = lines;
  assert.ok(line?.status === 'classified');
  assert.deepEqual([line.predictions.length, line.source], [1, { owner: 'Ann' }]);
});

test('rows that break off leave whole lines, and of Parquet nothing', async (t) => {
  const folder = await temporaryFolder(t);
  async function* broken() {
    yield awkwardRows.slice(0, 1);
    throw new Error('away');
  }
  const output = await openLineOutput(join(folder, 'rows.csv'), { header: 'h', line: ({ id }) => id });
  await assert.rejects(writeRows(broken(), output), /away/);
  const parts = openPartedOutput(join(folder, 'parts'), exportedRun, {
    kind: 'file',
    suffix: '.parquet',
    openPart: openParquet,
  });
  await assert.rejects(writeRows(broken(), parts), /away/);
  assert.deepEqual(await readdir(join(folder, 'parts')), []);
});

test('a part is finished when it is full or old', async (t) => {
  const folder = await temporaryFolder(t);
  const format = { kind: 'file', suffix: '.parquet', openPart: openParquet } as const;
  const parts = async (name: string, limits: { partRows?: number; partMs?: number }) => {
    const output = openPartedOutput(join(folder, name), exportedRun, format, limits);
    for (const row of awkwardRows) {
      await output.write(row);
      await output.flush();
    }
    const whole = (await readdir(join(folder, name))).filter((file) => file.endsWith('.parquet'));
    await output.end();
    return [whole.length, (await readdir(join(folder, name))).length];
  };
  assert.deepEqual(await parts('full', { partRows: 3 }), [1, 2]);
  assert.deepEqual(await parts('old', { partMs: 0 }), [4, 4]);
});
