import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Row } from '../../../src/index.ts';
import { demoModel, jsonLines, pictures, startFleet } from '../../support/fleet.ts';
import { until } from '../../support/support.ts';

const example = fileURLToPath(new URL('../../../examples/producer.js', import.meta.url));

test('a service that imports clipfleet opens a run, waits for it and reads its rows in order', async (t) => {
  const fleet = await startFleet(t);
  const url = `unix://${fleet.redis.options.path}`;
  fleet.start('worker', '--redis-url', url, '--model', demoModel, '--root', pictures);
  await until(() => fleet.redis.exists('clipfleet:models'), 'the worker serves its model');

  const files = ['owl.jpg', 'no-such-file.jpg', 'bear.png'];
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [example, 'fox,bear,owl', ...files],
    { env: { ...process.env, REDIS_URL: url }, timeout: 120_000 },
  );
  assert.equal(stderr, '');
  const answers = jsonLines<Row>(stdout).map((row) => [
    row.id,
    row.status === 'classified' ? row.predictions[0]?.label : row.status === 'failed' && row.error.code,
  ]);
  assert.deepEqual(answers, [
    ['owl.jpg', 'owl'],
    ['no-such-file.jpg', 'IMAGE_NOT_FOUND'],
    ['bear.png', 'bear'],
  ]);
});
