import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { addsUp } from '../../support/account.ts';
import { copyPictures, demoModel, jsonLines, startFleet } from '../../support/fleet.ts';

test('embed keeps vectors without labels, exports them, and labels come later', async (t) => {
  const fleet = await startFleet(t);
  await copyPictures(fleet, 'pictures', 6);
  await writeFile(join(fleet.folder, 'pictures/broken.jpg'), 'not an image');
  const model = ['--model', demoModel];
  const keep = ['--keep-embeddings', 'vectors', '--run', 'r'];
  const embedded = await fleet.run('embed', 'pictures', ...model, ...keep, '-o', 'rows.npy');
  assert.equal(embedded.code, 2, embedded.stderr);
  assert.match(embedded.stderr, /Run r: 7 images: 6 embedded, 1 failed/);
  const header = async (path: string) =>
    (await readFile(join(fleet.folder, path))).toString('latin1', 0, 128);
  assert.match(await header('rows.npy/img_emb/img_emb_0.npy'), /'descr': '<f2'.*'shape': \(6, 192\)/);
  assert.deepEqual((await readdir(join(fleet.folder, 'rows.npy'))).sort(), [
    'clipfleet.json',
    'img_emb',
    'labels.json',
    'metadata',
  ]);
  const { stdout } = await fleet.run('results', 'r', '--format', 'jsonl');
  const rows = jsonLines(stdout);
  assert.deepEqual(rows.map(({ status }) => status).sort(), [...Array(6).fill('embedded'), 'failed']);
  assert.ok(rows.every((row) => !('predictions' in row)));
  const progress = addsUp(await fleet.producer.progress('r'));
  assert.deepEqual([progress.complete, progress.classified, progress.failed], [true, 6, 1]);

  const relabeled = await fleet.run('relabel', 'r', ...model, '--labels', 'fox,owl');
  assert.match(relabeled.stderr, /: 6 images: 6 classified/);
  const without = await fleet.run('embed', 'pictures', ...model, '--run', 'other');
  assert.match(without.stderr, /USAGE: Expected --keep-embeddings/);
  const labels = await fleet.run('label', 'pictures', ...model, '--labels', 'fox,owl', '--run', 'r');
  assert.match(labels.stderr, /Run 'r' is for vectors alone/);

  for (const file of await readdir(join(fleet.folder, 'vectors/r')))
    await rm(join(fleet.folder, 'vectors/r', file));
  const refused = await fleet.run('export', 'r', '-o', 'again.npy');
  assert.match(refused.stderr, /VECTORS_UNUSABLE: Expected a vector for each .* but 6 are missing/);
  assert.equal((await readdir(fleet.folder)).includes('again.npy'), false);
});
