import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { demoModel, startFleet } from '../../support/fleet.ts';

test('label ends where more images fail than --max-failure-rate allows, and goes on when it is told to', async (t) => {
  const fleet = await startFleet(t);
  await mkdir(join(fleet.folder, 'empty'));
  for (let i = 0; i < 200; i++) await writeFile(join(fleet.folder, 'empty', `${i}.jpg`), '');
  const command = ['label', 'empty', '--labels', 'fox,owl', '--model', demoModel, '--run', 'r'];
  const { code, stderr } = await fleet.run(...command, '--chunk-size', '20', '--max-failure-rate', '0.5');
  assert.equal(code, 1, stderr);
  assert.match(stderr, /RUN_PAUSED: Run 'r' was paused: \d+ of \d+ images failed, .*IMAGE_EMPTY.*--run r/);
  const { classified, failed } = await fleet.producer.store.counts('r');
  assert.equal(classified, 0);
  assert.ok(failed >= 100 && failed < 200, `${failed} failed before it was paused`);

  const again = await fleet.run(...command, '--max-failure-rate', '1');
  assert.equal(again.code, 2, again.stderr);
  assert.equal((await fleet.producer.store.counts('r')).failed, 200);
});

test('where nearly all images fail, label ends by itself, and an earlier run keeps its budget', async (t) => {
  const fleet = await startFleet(t);
  await mkdir(join(fleet.folder, 'empty'));
  for (let i = 0; i < 200; i++) await writeFile(join(fleet.folder, 'empty', `${i}.jpg`), '');
  const command = ['label', 'empty', '--labels', 'fox,owl', '--model', demoModel, '--chunk-size', '20'];
  const { code, stderr } = await fleet.run(...command, '--run', 'r');
  assert.equal(code, 1, stderr);
  assert.match(stderr, /RUN_PAUSED: .*IMAGE_EMPTY.*--max-failure-rate 1/);
  assert.equal((await fleet.producer.describe('r')).maxFailureRate, 0.9);
  await fleet.run(...command, '--run', 'r', '--max-failure-rate', '1');
  assert.equal((await fleet.run(...command, '--run', 'r')).code, 2);
  assert.equal((await fleet.producer.describe('r')).maxFailureRate, 1);
});
