// Other labels from kept vectors, by workers: as jobs of a run with its own account.
import assert from 'node:assert/strict';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { addsUp } from '../../support/account.ts';
import { copyPictures, demoModel, type Fleet, jsonLines, startFleet } from '../../support/fleet.ts';
import { until } from '../../support/support.ts';

const model = ['--model', demoModel];

/** A run of so many images with kept vectors. */
async function keptRun(fleet: Fleet, vectors: string, images: number): Promise<void> {
  await mkdir(vectors);
  await copyPictures(fleet, 'pictures', images);
  const kept = ['--chunk-size', '16', '--run', 'r', '--keep-embeddings', 'root://v/kept'];
  const added = await fleet.run('enqueue', 'pictures', ...model, '--labels', 'fox,owl', ...kept);
  assert.equal(added.code, 0, added.stderr);
  await endedBy(fleet, 'r', '--write-root', `v=${vectors}`);
}

/** Starts a worker, waits for the run, ends the worker. */
async function endedBy(fleet: Fleet, run: string, ...flags: string[]): Promise<void> {
  const worker = fleet.start('worker', ...model, ...flags);
  await until(async () => addsUp(await fleet.producer.progress(run)).ended, `${run} has ended`, 120_000);
  worker.child.kill('SIGTERM');
  await worker.ended;
}

async function rowsOf(fleet: Fleet, run: string) {
  const { stdout } = await fleet.run('results', run, '--format', 'jsonl');
  const rows = jsonLines<{ id: string; uri: string; status: string; predictions?: unknown }>(stdout);
  return rows
    .map(({ id, uri, status, predictions }) => ({ id, uri, status, predictions }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

test('a fleet relabels a run from its vectors, and only workers that reach them', async (t) => {
  const fleet = await startFleet(t);
  const vectors = join(fleet.folder, 'vectors');
  await keptRun(fleet, vectors, 300);
  const labels = ['--labels', 'car,bear,cat', '--root', `v=${vectors}`];
  const added = await fleet.run('relabel', 'r', ...labels, '--fleet');
  assert.equal(added.code, 0, added.stderr);
  assert.match(added.stderr, /300 images added, by their vectors/);
  const run = added.stdout.trim();

  const without = fleet.start('worker', ...model);
  await until(
    () => /its vectors are out of reach here/.test(without.text().stderr),
    'it says what it leaves',
  );
  assert.equal((await fleet.producer.progress(run)).done, 0);
  without.child.kill('SIGTERM');
  await without.ended;

  // The pictures are gone: nothing but vectors is read.
  await rename(join(fleet.folder, 'pictures'), join(fleet.folder, 'away'));
  const killed = fleet.start('worker', ...model, '--root', `v=${vectors}`, '--lock-ms', '1000');
  await until(async () => (await fleet.producer.progress(run)).done > 0, 'rows are stored', 120_000);
  killed.child.kill('SIGKILL');
  await killed.ended;
  await endedBy(fleet, run, '--root', `v=${vectors}`, '--lock-ms', '1000');
  const { complete, classified, duplicates } = await fleet.producer.progress(run);
  assert.deepEqual([complete, classified, duplicates], [true, 300, 0]);

  const here = await fleet.run('relabel', 'r', ...model, ...labels);
  const other = /Run (\S+): 300 images: 300 classified/.exec(here.stderr)?.[1];
  assert.ok(other, here.stderr);
  assert.deepEqual(await rowsOf(fleet, run), await rowsOf(fleet, other));
});

test('vectors that are gone when their job comes fail their images, and can be tried again', async (t) => {
  const fleet = await startFleet(t);
  const vectors = join(fleet.folder, 'vectors');
  await keptRun(fleet, vectors, 40);
  const flags = ['--labels', 'car,bear', '--root', `v=${vectors}`, '--fleet', '--attempts', '1'];
  const run = (await fleet.run('relabel', 'r', ...flags)).stdout.trim();
  const folder = join(vectors, 'kept/r');
  const [file] = await readdir(folder);
  await rename(join(folder, file!), join(folder, 'away'));
  await endedBy(fleet, run, '--root', `v=${vectors}`);
  const failed = await fleet.producer.progress(run);
  assert.ok(failed.failures.VECTOR_UNREADABLE! > 0);
  await rename(join(folder, 'away'), join(folder, file!));
  await fleet.run('retry', run);
  await endedBy(fleet, run, '--root', `v=${vectors}`);
  assert.equal((await fleet.producer.progress(run)).classified, 40);
});

test('vectors that no worker reaches are not given to workers', async (t) => {
  const fleet = await startFleet(t);
  await copyPictures(fleet, 'pictures', 2);
  await fleet.run('label', 'pictures', ...model, '--labels', 'a,b', '--run', 'r', '--keep-embeddings', 'v');
  const refused = await fleet.run('relabel', 'r', '--labels', 'c,d', '--fleet');
  assert.match(refused.stderr, /VECTORS_UNUSABLE: Expected vectors in root:/);
});
