import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { copyPictures, demoModel, jsonLines, startFleet } from '../../support/fleet.ts';

interface Line {
  id: string;
  decision?: string;
  predictions: { label: string; score: number }[];
}

test('thresholds of the label file decide when rows are shown, and flags go before them', async (t) => {
  const fleet = await startFleet(t);
  await copyPictures(fleet, 'pictures', 6);
  const file = (accept: number) => JSON.stringify({ labels: ['fox', 'owl', 'car'], accept });
  await writeFile(join(fleet.folder, 'labels.json'), file(0.975));
  await writeFile(join(fleet.folder, 'strict.json'), file(1));
  const labels = ['--labels-file', 'labels.json', '--model', demoModel, '--run', 'r'];
  const labeled = await fleet.run('label', 'pictures', ...labels);
  assert.equal(labeled.code, 0, labeled.stderr);
  assert.match(labeled.stdout, /Decisions\naccept +\d .*\nreview +\d .*\nreject +0 /);

  const linesOf = async (...flags: string[]) =>
    jsonLines<Line>((await fleet.run('results', 'r', '--format', 'jsonl', ...flags)).stdout);
  const rows = await linesOf();
  assert.equal(rows.length, 6);
  for (const { decision, predictions } of rows)
    assert.equal(decision, predictions[0]!.score >= Math.fround(0.975) ? 'accept' : 'review');
  const accepted = rows.filter(({ decision }) => decision === 'accept');
  assert.ok(accepted.length > 0 && accepted.length < 6, `some are accepted: ${accepted.length}`);
  assert.deepEqual(await linesOf('--decision', 'accept'), accepted);

  assert.equal((await linesOf('--accept', '0', '--decision', 'accept')).length, 6);
  assert.equal((await linesOf('--review', '0.975', '--decision', 'reject')).length, 6 - accepted.length);
  assert.equal((await linesOf('--thresholds', 'strict.json', '--decision', 'accept')).length, 0);

  const exported = await fleet.run('export', 'r', '-o', 'rows.csv', '--decision', 'review');
  assert.equal(exported.code, 0, exported.stderr);
  const csv = parse<Line>(await readFile(join(fleet.folder, 'rows.csv'), 'utf8'), { columns: true });
  assert.deepEqual(
    csv.map(({ id, decision }) => `${id} ${decision}`),
    rows.filter(({ decision }) => decision === 'review').map(({ id }) => `${id} review`),
  );
  // The same labels with other thresholds are the same run.
  await writeFile(join(fleet.folder, 'labels.json'), file(1));
  const again = await fleet.run('label', 'pictures', ...labels);
  assert.equal(again.code, 0, again.stderr);
  assert.equal((await linesOf('--decision', 'accept')).length, 0);
});

test('a decision without thresholds, and thresholds of other labels, are refused', async (t) => {
  const fleet = await startFleet(t);
  await copyPictures(fleet, 'pictures', 1);
  await fleet.run('label', 'pictures', '--labels', 'fox,owl', '--model', demoModel, '--run', 'r');
  const none = await fleet.run('results', 'r', '--decision', 'accept');
  assert.equal(none.code, 1);
  assert.match(none.stderr, /USAGE: Expected thresholds for --decision accept.*give --accept/);
  await writeFile(join(fleet.folder, 'dogs.csv'), 'label,accept\ndog,0.5\ncat,\n');
  const other = await fleet.run('results', 'r', '--thresholds', 'dogs.csv');
  assert.match(other.stderr, /USAGE: Expected thresholds for labels of the run, got one for "dog"/);
  await writeFile(join(fleet.folder, 'plain.csv'), 'label\ndog\ncat\n');
  const plain = await fleet.run('results', 'r', '--thresholds', 'plain.csv');
  assert.match(plain.stderr, /Expected thresholds \(accept, review, margin\) in plain\.csv, got none/);
});
