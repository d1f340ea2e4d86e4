import assert from 'node:assert/strict';
import { readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { shortestFloat32 } from '../../../src/results/exports/csvRows.ts';
import { checkOutput } from '../../../src/results/exports/outputFile.ts';
import { openRowOutput } from '../../../src/results/exports/rowOutput.ts';
import type { PublicRow } from '../../../src/shared/rows/row.ts';
import { temporaryFolder } from '../../support/support.ts';

const about = { run: 'r', generation: 0, model: 'm@1:fp32', labelSet: 's', at: '2026-11-27T00:00:00.000Z' };

function classified(id: string, predictions: [string, number][]): PublicRow {
  const scored = predictions.map(([label, score]) => ({ label, score: Math.fround(score) }));
  return { ...about, id, uri: `file:///${id}`, status: 'classified', predictions: scored, fingerprint: 'f' };
}

const rows: PublicRow[] = [
  classified('1234567890123456781', [
    ['=HYPERLINK("x")', 0.9123],
    ['owl, grey', 1e-7],
    ['-5', 0],
  ]),
  { ...about, id: '-7', uri: '+x', status: 'failed', error: { code: 'IMAGE_EMPTY', message: 'line\n"two"' } },
];

async function written(path: string): Promise<string> {
  const writer = await openRowOutput(path);
  for (const row of rows) assert.equal(await writer.write(row), true);
  await writer.end();
  return readFile(path, 'utf8');
}

test('the suffix names the format: CSV with the best five, formulas defused, scores as short as they are exact', async (t) => {
  const folder = await temporaryFolder(t);
  const csv = await written(join(folder, 'rows.csv'));
  const [first, second] = parse<Record<string, string>>(csv, { columns: true });
  assert.equal(first!.id, '1234567890123456781');
  assert.deepEqual([first!.label, first!.score], [`'=HYPERLINK("x")`, '0.9123']);
  assert.deepEqual(
    [first!.label_2, first!.score_2, first!.label_3, first!.score_3],
    ['owl, grey', '1e-7', '-5', '0'],
  );
  assert.deepEqual([first!.label_5, first!.error], ['', '']);
  assert.deepEqual(
    [second!.id, second!.uri, second!.status, second!.label, second!.error, second!.message],
    ['-7', "'+x", 'failed', '', 'IMAGE_EMPTY', 'line\n"two"'],
  );
  for (const name of ['rows.jsonl', 'rows']) {
    const lines = (await written(join(folder, name))).trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      rows,
    );
  }
  await assert.rejects(openRowOutput(join(folder, 'rows.xlsx')), {
    code: 'USAGE',
    message: /\.jsonl or \.csv/,
  });
});

test('a float32 is written with the fewest digits that read back as it', () => {
  for (const value of [0.1, 0.9123, 1 / 3, 1e-45, 3.4028234663852886e38, 0.8762897253036499, 0, 1]) {
    const text = shortestFloat32(Math.fround(value));
    assert.equal(Math.fround(Number(text)), Math.fround(value), text);
  }
  assert.equal(shortestFloat32(Math.fround(0.1)), '0.1');
  assert.equal(shortestFloat32(0.8762897253036499), '0.8762897');
});

test('an output is refused before any work where it would cost something of the user’s', async (t) => {
  const folder = await temporaryFolder(t);
  const path = (name: string) => join(folder, name);
  const rules = { inputs: [path('list.csv')], force: false };
  await writeFile(path('list.csv'), 'url\na.jpg\n');
  await symlink('list.csv', path('link.csv'));
  await writeFile(path('thesis.jsonl'), 'my only copy\n');
  await writeFile(path('empty.jsonl'), '');
  for (const name of ['list.csv', 'link.csv'])
    await assert.rejects(checkOutput(path(name), { ...rules, force: true }), {
      code: 'USAGE',
      message: /than an input/,
    });
  await assert.rejects(checkOutput(path('thesis.jsonl'), rules), {
    message: /something else than rows.*--force/,
  });
  await assert.rejects(checkOutput(path('none/rows.csv'), rules), { message: /ENOENT/ });
  const noFolder = { message: `Expected to write rows to none/rows.csv, got ENOENT for ${resolve('none')}.` };
  await assert.rejects(checkOutput('none/rows.csv', rules), noFolder, 'its whole path');
  await assert.rejects(checkOutput(folder, rules), { code: 'USAGE' });
  await assert.rejects(checkOutput(path('rows.xlsx'), rules), { code: 'USAGE' });
  await checkOutput(path('thesis.jsonl'), { ...rules, force: true });
  await checkOutput(path('empty.jsonl'), rules);
  await checkOutput(path('new.jsonl'), rules);
  await checkOutput('/dev/null', rules);
  assert.deepEqual((await readdir(folder)).sort(), ['empty.jsonl', 'link.csv', 'list.csv', 'thesis.jsonl']);
  // Rows of an earlier run are ours to overwrite.
  for (const name of ['rows.csv', 'rows.jsonl']) {
    await written(path(name));
    await checkOutput(path(name), rules);
  }
});

test('a full disk is said with a code', { skip: process.platform !== 'linux' }, async () => {
  const writer = await openRowOutput('/dev/full');
  await writer.write(rows[0]!);
  await assert.rejects(writer.end(), { code: 'OUTPUT_FAILED', message: /ENOSPC/ });
});
