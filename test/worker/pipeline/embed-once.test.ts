import assert from 'node:assert/strict';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createEmbedOnce } from '../../../src/worker/pipeline/embedOnce.ts';
import { demoModel, jsonLines, pictures, startFleet } from '../../support/fleet.ts';

test('with the cache on, equal files go through the session once, and each has its row', async (t) => {
  const fleet = await startFleet(t);
  await mkdir(join(fleet.folder, 'same'));
  for (let i = 0; i < 40; i++) {
    const picture = i % 2 === 0 ? 'owl.jpg' : 'car.jpg';
    await copyFile(join(pictures, picture), join(fleet.folder, 'same', `${i}.jpg`));
  }
  const worker = fleet.start(
    'worker',
    '--model',
    demoModel,
    '--embedding-cache',
    '100',
    '--log-level',
    'debug',
  );
  const enqueued = await fleet.run(
    'enqueue',
    'same',
    '--model',
    demoModel,
    '--labels',
    'owl,car',
    '--run',
    'r',
  );
  assert.equal(enqueued.code, 0, enqueued.stderr);
  await fleet.producer.waitFor('r');
  worker.child.kill('SIGTERM');
  const said = jsonLines<{ msg: string; images: number }>(
    (await worker.ended).stderr.replace(/^[^{].*$/gm, ''),
  );
  const batches = said.filter(({ msg }) => msg === 'batch');
  assert.equal(
    batches.reduce((sum, { images }) => sum + images, 0),
    2,
  );
  const rows = await fleet.rows('r');
  assert.equal(rows.length, 40);
  for (const row of rows) {
    const best = row.status === 'classified' ? row.predictions[0]?.index : undefined;
    assert.equal(best, Number.parseInt(row.id.split('/')[1]!, 10) % 2, row.id);
  }
});

test('what failed for one image is tried for the next, and what waited for it', async () => {
  const embedOnce = createEmbedOnce(2);
  const digest = 'the SHA-256 of a file';
  let fail: (error: Error) => void = () => {};
  const first = embedOnce(digest, () => new Promise((_, reject) => (fail = reject)));
  const second = embedOnce(digest, async () => new Float32Array([7]));
  fail(new Error('called back'));
  await assert.rejects(first, /called back/);
  assert.deepEqual(await second, new Float32Array([7]));
  assert.deepEqual(
    await embedOnce(digest, () => Promise.reject(new Error('not asked'))),
    new Float32Array([7]),
  );
});
