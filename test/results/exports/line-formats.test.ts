import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { formatOfOutput, openRowOutput } from '../../../src/results/exports/exportFormat.ts';
import type { ExportedRun, ExportRow } from '../../../src/results/rows/exportedRun.ts';
import { shortestFloat32 } from '../../../src/results/rows/shortestFloat32.ts';
import { awkwardRows, exportedRun } from '../../support/exportedRows.ts';
import { temporaryFolder } from '../../support/support.ts';

async function written(
  path: string,
  run: ExportedRun = exportedRun,
  rows: readonly ExportRow[] = awkwardRows,
): Promise<string> {
  const output = await openRowOutput(path, run, formatOfOutput(path));
  for (const row of rows) await output.write(row);
  await output.end();
  return readFile(path, 'utf8');
}

type Cells = Record<string, string>;

test('CSV has the best five, formulas defused, scores as short as they are exact', async (t) => {
  const folder = await temporaryFolder(t);
  const [first, , third, fourth] = parse<Cells>(await written(join(folder, 'rows.csv')), { columns: true });
  assert.equal(first!.id, '1234567890123456781');
  assert.deepEqual([first!.label, first!.score], [`'=HYPERLINK("x")`, '0.9123']);
  assert.deepEqual(
    [first!.label_2, first!.score_2, first!.label_3, first!.score_3],
    ['owl, "grey" & <old>', '1e-7', 'fox', '0'],
  );
  assert.deepEqual([first!.label_5, first!.error, third!.label], ['', '', '']);
  assert.deepEqual(
    [fourth!.id, fourth!.uri, fourth!.status, fourth!.label, fourth!.error, fourth!.message],
    ['-7', "'+x", 'failed', '', 'IMAGE_EMPTY', 'line\n"two"'],
  );
});

test('wide CSV has a column for each label, and a byte order mark on request', async (t) => {
  const folder = await temporaryFolder(t);
  const wide = { ...exportedRun, wide: true, bom: true };
  const text = await written(join(folder, 'rows.csv'), wide);
  assert.ok(text.startsWith('\uFEFFid,uri,status,'));
  const [, second, third] = parse<Cells>(text, { columns: true, bom: true });
  const scores = ['score:=HYPERLINK("x")', 'score:owl, "grey" & <old>', 'score:fox'];
  assert.deepEqual(
    ['label', 'score', ...scores].map((name) => second![name]),
    ['fox', '0.5', '0.125', '0.25', '0.5'],
  );
  assert.deepEqual(
    scores.map((name) => third![name]),
    ['', '', ''],
  );
});

test('columns of the source list come along, under a name of their own', async (t) => {
  const folder = await temporaryFolder(t);
  const joined = { ...exportedRun, sourceColumns: ['label', 'taken'] };
  const rows = [{ ...awkwardRows[1]!, source: { label: '+1', taken: { year: 2026 } } }, awkwardRows[2]!];
  const [first, second] = parse<Cells>(await written(join(folder, 'rows.csv'), joined, rows), {
    columns: true,
  });
  assert.deepEqual([first!.label, first!.source_label, first!.taken], ['fox', '+1', '{"year":2026}']);
  assert.deepEqual([second!.source_label, second!.taken], ['', '']);
});

test('JSON lines are whole rows, with the shortest scores that are the same float32', async (t) => {
  const folder = await temporaryFolder(t);
  for (const name of ['rows.jsonl', 'rows']) {
    const lines = (await written(join(folder, name))).trimEnd().split('\n');
    assert.ok(lines[0]!.includes('"score":0.9123}'), lines[0]);
    const rows = lines.map((line) => JSON.parse(line, (_, value) => asFloat32(value)));
    assert.deepEqual(rows, awkwardRows);
  }
});

test('compact JSON lines say once what is the same for all rows', async (t) => {
  const folder = await temporaryFolder(t);
  const text = await written(join(folder, 'rows.jsonl'), { ...exportedRun, compact: true });
  const [head, first, ...others] = text.trimEnd().split('\n');
  const { run, model, labelSet, labels, createdAt } = exportedRun;
  assert.deepEqual(JSON.parse(head!), { run, model, labelSet, createdAt, labels });
  const row = JSON.parse(first!);
  assert.deepEqual(Object.keys(row), [
    'generation',
    'at',
    'id',
    'uri',
    'status',
    'predictions',
    'fingerprint',
  ]);
  assert.equal(others.length, awkwardRows.length - 1);
});

function asFloat32(value: unknown): unknown {
  return typeof value === 'number' ? Math.fround(value) : value;
}

test('a float32 is written with the fewest digits that read back as it', () => {
  const values = [0.1, 0.9123, 1 / 3, 1e-45, 3e-42, 3.4028234663852886e38, 0.8762897253036499, 0, 1, -0.5];
  for (const value of [...values, ...Array.from({ length: 1_000 }, (_, i) => Math.sin(i))]) {
    const text = shortestFloat32(Math.fround(value));
    assert.equal(Math.fround(Number(text)), Math.fround(value), text);
    const digits = (text.replace(/e.*|^-|\./g, '').replace(/^0+|0+$/g, '') || '0').length;
    const shorter = digits > 1 && Math.fround(Number(Math.fround(value).toPrecision(digits - 1)));
    assert.notEqual(shorter, Math.fround(value), `${text} could be shorter`);
  }
  assert.equal(shortestFloat32(Math.fround(0.1)), '0.1');
  assert.equal(shortestFloat32(0.8762897253036499), '0.8762897');
});

test('a suffix that names no format is refused', () => {
  assert.throws(() => formatOfOutput('rows.xlsx'), { code: 'USAGE', message: /\.jsonl, \.csv, \.parquet/ });
  assert.equal(formatOfOutput('rows.xlsx', 'csv').kind, 'lines');
});
