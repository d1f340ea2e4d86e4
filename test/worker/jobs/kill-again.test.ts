import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { keysUnder } from '../../../src/shared/redis/keys.ts';
import { ROW_BUCKETS } from '../../../src/shared/rows/rowBucket.ts';
import {
  type Fleet,
  jsonLines,
  pictures,
  type Running,
  repository,
  startFleet,
} from '../../support/fleet.ts';
import { until } from '../../support/support.ts';

const IMAGES = 20_000;
const FILES = 48;
const run = 'faults';
const model = join(repository, 'test/golden/models/clip');

/** Rows there must be before a worker is killed once more: at counts of rows, not at times. */
const KILLS = Array.from({ length: 18 }, (_, i) => 500 + i * 1_000);
const PRODUCER_KILL = 7_000;

test('20,000 images, three workers killed again and again and the producer once: one row each, all counts exact', async (t) => {
  const fleet = await startFleet(t);
  await writeSource(fleet);
  const limits = ['--high-water', '2000', '--chunk-size', '32'];
  const enqueue = () =>
    fleet.start('enqueue', 'list.csv', '--labels', 'fox,owl', '--model', model, '--run', run, ...limits);
  const worker = () => fleet.start('worker', '--model', model, '--lock-ms', '1000');

  let producer = enqueue();
  await until(() => producer.text().stdout.includes(run), 'the run is open');
  const workers = [worker(), worker(), worker()];
  const kills = [...KILLS];
  let killed = 0;
  let producerKilled = false;
  await until(
    async () => {
      const { done, state } = await lookAt(fleet);
      if (!producerKilled && done >= PRODUCER_KILL) {
        assert.equal(producer.child.exitCode, null, 'the producer is killed in the middle');
        await kill(producer);
        producer = enqueue();
        producerKilled = true;
      }
      if (done >= kills[0]! && state !== 'complete') {
        while (done >= kills[0]!) kills.shift();
        const victim = killed++ % workers.length;
        await kill(workers[victim]!);
        workers[victim] = worker();
      }
      return state === 'complete';
    },
    'the run is complete',
    300_000,
  );
  const { code, stderr } = await producer.ended;
  assert.equal(code, 0, stderr);
  assert.ok(producerKilled);
  assert.ok(killed >= 15, `only ${killed} workers were killed`);

  const rows = await fleet.rows(run);
  assert.equal(rows.length, IMAGES);
  assert.equal(new Set(rows.map(({ id }) => id)).size, IMAGES);
  assert.ok(rows.every(({ status }) => status === 'classified'));
  const { expected, classified, failed, waiting, active, skipped, duplicates } =
    await fleet.producer.progress(run);
  assert.deepEqual(
    { expected, classified, failed, waiting, active, skipped, duplicates },
    { expected: IMAGES, classified: IMAGES, failed: 0, waiting: 0, active: 0, skipped: 0, duplicates: 0 },
  );
  assert.deepEqual(await fleet.producer.runs.pending(run), []);
  assert.equal(await fleet.producer.runs.active(run), 0, 'no killed worker counts as one that works');
  const audited = await fleet.run('audit', run, '--format', 'jsonl');
  assert.equal(audited.code, 0, audited.stderr);
  const { stored, counted, recounted, withdrawn } = jsonLines(audited.stdout)[0]!;
  assert.deepEqual([recounted, withdrawn, counted], [false, [], stored], 'nothing to mend');
});

/** Some dozens of small image files, and a list in which thousands of images name them. */
async function writeSource({ folder }: Fleet): Promise<void> {
  const names = ['owl.jpg', 'cat.webp', 'bear.png', 'fox.jpg'];
  for (let i = 0; i < FILES; i++) {
    const small = sharp(join(pictures, names[i % names.length]!)).resize(30 + i, 30, { fit: 'fill' });
    await small.png().toFile(join(folder, `${i}.png`));
  }
  const lines = Array.from({ length: IMAGES }, (_, i) => `image-${i},${i % FILES}.png`);
  await writeFile(join(folder, 'list.csv'), `id,path\n${lines.join('\n')}\n`);
}

/** Where the run is; what it says adds up, and there is a row for each image that it says is done. */
async function lookAt({ producer, redis }: Fleet) {
  const progress = await producer.progress(run);
  const { expected, waiting, active, classified, failed, skipped, done, duplicates } = progress;
  const said = JSON.stringify(progress);
  assert.equal(expected, waiting + active + classified + failed + skipped, said);
  assert.ok(Math.min(waiting, active) >= 0, said);
  assert.deepEqual([failed, skipped, duplicates], [0, 0, 0], said);
  const keys = keysUnder('clipfleet');
  let rows = 0;
  for (let bucket = 0; bucket < ROW_BUCKETS; bucket++) rows += await redis.hlen(keys.rows(run, bucket));
  assert.ok(done <= rows, `${rows} rows, and ${said}`);
  return progress;
}

async function kill({ child, ended }: Running): Promise<void> {
  child.kill('SIGKILL');
  await ended;
}
