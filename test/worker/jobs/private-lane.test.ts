import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { demoModel, jsonLines, pictures, startFleet } from '../../support/fleet.ts';
import { until } from '../../support/support.ts';

test('label beside a fleet on the same Redis does its own images, and leaves nothing of its lane', async (t) => {
  const fleet = await startFleet(t);
  await mkdir(join(fleet.folder, 'elsewhere'));
  // A worker of the same model that may not read the pictures: an image it took would fail.
  const worker = fleet.start('worker', '--model', demoModel, '--root', 'elsewhere', '--log-level', 'debug');
  await until(() => worker.text().stderr.includes('worker ready'), 'the worker is ready');
  const args = ['--labels', 'fox,owl', '--model', demoModel, '--run', 'mine', '--chunk-size', '2'];
  const { code, stderr } = await fleet.run('label', pictures, ...args);
  assert.equal(code, 0, stderr);
  assert.deepEqual(await fleet.producer.store.counts('mine'), { classified: 16, failed: 0, failures: {} });
  worker.child.kill('SIGTERM');
  const lines = jsonLines<{ msg: string }>((await worker.ended).stderr.replace(/^[^{].*$/gm, ''));
  assert.ok(!lines.some(({ msg }) => msg === 'batch'), 'the worker had no image');
  assert.deepEqual(await fleet.redis.keys('clipfleet:{label-*'), []);
});
