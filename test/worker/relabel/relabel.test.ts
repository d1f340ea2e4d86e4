// Vectors that a fleet kept, workers killed, and other labels from them alone.
import assert from 'node:assert/strict';
import { appendFile, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readVectors } from '../../../src/shared/embeddings/readVectors.ts';
import { addsUp } from '../../support/account.ts';
import { copyPictures, demoModel, type Fleet, jsonLines, startFleet } from '../../support/fleet.ts';
import { until } from '../../support/support.ts';

interface Classified {
  id: string;
  predictions: { label: string; score: number }[];
}

async function rowsOf(fleet: Fleet, run: string): Promise<Classified[]> {
  const { stdout } = await fleet.run('results', run, '--format', 'jsonl');
  return jsonLines<Classified & Record<string, unknown>>(stdout).sort((a, b) => (a.id < b.id ? -1 : 1));
}

function sameAsFresh(relabeled: Classified[], fresh: Classified[]): void {
  assert.deepEqual(
    relabeled.map(({ id }) => id),
    fresh.map(({ id }) => id),
  );
  fresh.forEach(({ id, predictions }, i) => {
    const scores = new Map(relabeled[i]!.predictions.map(({ label, score }) => [label, score]));
    for (const { label, score } of predictions)
      assert.ok(
        Math.abs(scores.get(label)! - score) < 1e-3,
        `${id} ${label}: ${scores.get(label)} for ${score}`,
      );
    const margin = predictions[0]!.score - predictions[1]!.score;
    if (margin > 2e-3) assert.equal(relabeled[i]!.predictions[0]!.label, predictions[0]!.label);
  });
}

test('a killed fleet keeps a vector for each row, and a relabeled run is the fresh one', async (t) => {
  const fleet = await startFleet(t);
  const vectors = join(fleet.folder, 'vectors');
  await mkdir(vectors);
  await copyPictures(fleet, 'pictures', 240);
  const model = ['--model', demoModel];
  const small = ['--chunk-size', '4', '--run', 'r', '--keep-embeddings', 'root://v/kept'];
  const added = await fleet.run('enqueue', 'pictures', ...model, '--labels', 'fox,owl', ...small);
  assert.equal(added.code, 0, added.stderr);

  const without = fleet.start('worker', ...model);
  const says = () => /run left to other workers/.test(without.text().stderr);
  await until(says, 'it says what it leaves alone', 120_000);
  assert.equal((await fleet.producer.progress('r')).done, 0);
  without.child.kill('SIGTERM');
  await without.ended;

  const writing = ['--write-root', `v=${vectors}`, '--lock-ms', '1000'];
  for (const rows of [20, 80]) {
    const killed = fleet.start('worker', ...model, ...writing, '--batch-size', '4');
    const stored = async () => (await fleet.producer.progress('r')).done >= rows;
    await until(stored, `${rows} rows are stored`, 120_000);
    killed.child.kill('SIGKILL');
    await killed.ended;
  }
  const worker = fleet.start('worker', ...model, ...writing);
  await until(
    async () => addsUp(await fleet.producer.progress('r')).complete,
    'the run is complete',
    120_000,
  );
  worker.child.kill('SIGTERM');
  await worker.ended;

  const folder = join(vectors, 'kept/r');
  const kept = new Set<string>();
  const birth = (await fleet.producer.describe('r')).birth;
  for await (const group of readVectors({ folder, birth })) for (const { id } of group.vectors) kept.add(id);
  assert.equal(kept.size, 240);
  const [file] = await readdir(folder);
  await appendFile(join(folder, file!), Buffer.from('torn'));

  const labels = [...model, '--labels', 'car,bear,cat', '--top-k', 'all'];
  const relabeled = await fleet.run('relabel', 'r', ...labels, '--root', `v=${vectors}`);
  assert.equal(relabeled.code, 0, relabeled.stderr);
  assert.match(relabeled.stderr, /Passed over 4 bytes at the end of/);
  const run = /Run (\S+): 240 images: 240 classified/.exec(relabeled.stderr)?.[1];
  assert.ok(run, relabeled.stderr);
  const progress = addsUp(await fleet.producer.progress(run));
  assert.deepEqual(
    [progress.complete, progress.classified, progress.duplicates, progress.waiting],
    [true, 240, 0, 0],
  );
  const fresh = await fleet.run('label', 'pictures', ...labels, '--run', 'fresh');
  assert.equal(fresh.code, 0, fresh.stderr);
  sameAsFresh(await rowsOf(fleet, run), await rowsOf(fleet, 'fresh'));

  await rm(join(folder, file!));
  const refused = await fleet.run('relabel', 'r', ...labels, '--root', `v=${vectors}`);
  assert.match(refused.stderr, /VECTORS_UNUSABLE: Expected 240 vectors of run 'r' .* but \d+ are missing/);
  const none = await fleet.run('relabel', 'fresh', ...labels);
  assert.match(none.stderr, /VECTORS_UNUSABLE: Run 'fresh' kept no vectors/);

  const removed = await fleet.run('rm', 'r');
  assert.match(removed.stderr, /Its vectors stay: root:\/\/v\/kept\/r\n/);
});
