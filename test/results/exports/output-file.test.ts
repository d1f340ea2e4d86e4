import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { formatOfOutput, openRowOutput } from '../../../src/results/exports/exportFormat.ts';
import { checkOutput } from '../../../src/results/exports/outputFile.ts';
import { awkwardRows, exportedRun } from '../../support/exportedRows.ts';
import { temporaryFolder } from '../../support/support.ts';

const scoredRows = awkwardRows.filter(({ id }) => id !== 'none.jpg');

async function written(path: string): Promise<void> {
  const output = await openRowOutput(path, exportedRun, formatOfOutput(path));
  for (const row of scoredRows) assert.equal(await output.write(row), true);
  await output.end();
}

const names = ['rows.csv', 'rows.jsonl', 'rows.parquet', 'a.label-studio', 'b.fiftyone', 'c.hf', 'd.npy'];

test('an output is refused before any work where it would cost something of the user’s', async (t) => {
  const folder = await temporaryFolder(t);
  const path = (name: string) => join(folder, name);
  const rules = { inputs: [path('list.csv'), path('pictures/a.jpg')], force: false };
  await writeFile(path('list.csv'), 'url\na.jpg\n');
  await symlink('list.csv', path('link.csv'));
  await mkdir(path('pictures'));
  for (const name of ['pictures/a.jpg', 'thesis.jsonl', 'thesis.parquet'])
    await writeFile(path(name), 'my only copy\n');
  await writeFile(path('empty.jsonl'), '');
  for (const name of ['list.csv', 'link.csv'])
    await assert.rejects(checkOutput(path(name), { ...rules, force: true }), {
      code: 'USAGE',
      message: /than an input/,
    });
  for (const name of ['thesis.jsonl', 'thesis.parquet'])
    await assert.rejects(checkOutput(path(name), rules), { message: /something else than rows.*--force/ });
  await assert.rejects(checkOutput(path('none/rows.csv'), rules), { message: /ENOENT/ });
  const noFolder = { message: `Expected to write rows to none/rows.csv, got ENOENT for ${resolve('none')}.` };
  await assert.rejects(checkOutput('none/rows.csv', rules), noFolder, 'its whole path');
  await assert.rejects(checkOutput(path('rows.xlsx'), rules), { code: 'USAGE', message: /\.parquet/ });
  await assert.rejects(checkOutput('-', { ...rules, format: 'parquet' }), { message: /got -/ });
  await assert.rejects(checkOutput('/dev/null', { ...rules, format: 'parquet' }), { message: /device/ });
  await checkOutput(path('thesis.jsonl'), { ...rules, force: true });
  await checkOutput(path('empty.jsonl'), rules);
  await checkOutput(path('new.jsonl'), rules);
  await checkOutput('/dev/null', rules);
  const after = ['empty.jsonl', 'link.csv', 'list.csv', 'pictures', 'thesis.jsonl', 'thesis.parquet'];
  assert.deepEqual((await readdir(folder)).sort(), after);
});

test('a folder with something else is never replaced, even by force', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'a.jpg'), '');
  for (const force of [false, true])
    await assert.rejects(checkOutput(folder, { inputs: [], force, format: 'hf' }), {
      code: 'USAGE',
      message: /never replaced/,
    });
  const around = { inputs: [join(folder, 'a.jpg')], force: true, format: 'hf' } as const;
  await assert.rejects(checkOutput(folder, around), { message: /than an input/ });
});

test('an export of before is replaced as a whole', async (t) => {
  const folder = await temporaryFolder(t);
  for (const name of names) {
    await written(join(folder, name));
    await checkOutput(join(folder, name), { inputs: [], force: false });
    await written(join(folder, name));
  }
  assert.deepEqual((await readdir(folder)).sort(), [...names].sort());
});

test('what is not written row by row is there whole or not at all', async (t) => {
  const folder = await temporaryFolder(t);
  for (const name of names.filter((each) => !/csv|jsonl/.test(each))) {
    const output = await openRowOutput(join(folder, name), exportedRun, formatOfOutput(name));
    await output.write(scoredRows[0]!);
    assert.ok(!(await readdir(folder)).includes(name), name);
    await output.abandon();
  }
  // A row that lacks scores ends the matrix of scores.
  const npy = await openRowOutput(join(folder, 'x.npy'), exportedRun, formatOfOutput('x.npy'));
  await assert.rejects(npy.write(awkwardRows[2]!), { code: 'USAGE', message: /Expected 3 scores for none/ });
  assert.deepEqual(await readdir(folder), []);
});

test('a full disk is said with a code', { skip: process.platform !== 'linux' }, async () => {
  const output = await openRowOutput('/dev/full', exportedRun, formatOfOutput('x.jsonl'));
  await output.write(awkwardRows[0]!);
  await assert.rejects(output.end(), { code: 'OUTPUT_FAILED', message: /ENOSPC/ });
});

test('a folder of an export says what it is', async (t) => {
  const folder = await temporaryFolder(t);
  await written(join(folder, 'b.fiftyone'));
  const mark = JSON.parse(await readFile(join(folder, 'b.fiftyone', 'clipfleet.json'), 'utf8'));
  assert.deepEqual([mark.run, mark.model, mark.labels], ['r', 'm@1:fp32', exportedRun.labels]);
});
