import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { defineLabelSet, labelSetId } from '../../../src/shared/labels/labelSet.ts';
import { demoModel, jsonLines, pictures, repository, startFleet } from '../../support/fleet.ts';
import { until } from '../../support/support.ts';
import { venvPython } from '../../support/wider.ts';

// Quotes, a backslash, and characters beyond ASCII and beyond 16 bits: where JSON writers part ways.
const labels = ['fox', 'bear', 'owl', 'Käuzchen "🦉" \\ 1/2'];
// They fall into three buckets of rows, of both halves.
const files = ['owl.jpg', 'bear.png', 'absent.jpg'];

interface PythonRow {
  id: string;
  predictions?: { label: string }[];
  error?: { code: string };
}

test('a Python program opens a run, waits for it, reads its rows, and may do so again', async (t) => {
  const fleet = await startFleet(t);
  const url = `unix://${fleet.redis.options.path}`;
  fleet.start('worker', '--redis-url', url, '--model', demoModel, '--root', pictures);
  await until(() => fleet.redis.exists('clipfleet:models'), 'the worker serves its model');

  const env = { ...process.env, REDIS_URL: url, PYTHONUTF8: '1' };
  const produce = async (script: string, name = 'from-python') => {
    const args = [join(repository, script), '--run', name, '--labels', labels.join(','), ...files];
    const { stdout } = await promisify(execFile)(venvPython(), args, { env, timeout: 120_000 });
    return jsonLines<PythonRow>(stdout);
  };

  const rows = await produce('examples/producer.py');
  assert.equal(rows.length, files.length);
  const answers = rows.map(({ id, predictions, error }) => [id, predictions?.[0]?.label ?? error?.code]);
  const expected = { 'owl.jpg': 'owl', 'bear.png': 'bear', 'absent.jpg': 'IMAGE_NOT_FOUND' };
  assert.deepEqual(Object.fromEntries(answers), expected);

  const run = await fleet.producer.runs.get('from-python');
  assert.equal(run?.labelSet, labelSetId(defineLabelSet({ labels })), 'both compute the same label set id');
  assert.deepEqual([run?.state, run?.images, run?.chunks], ['complete', files.length, 1]);

  for (const script of ['examples/producer.py', 'test/wire/v1/producer.py'])
    assert.deepEqual(await produce(script), rows, 'the second time finds the rows of the first');
  assert.deepEqual(await fleet.producer.runs.get('from-python'), run);
  assert.deepEqual(await fleet.producer.store.counts('from-python'), {
    classified: 2,
    failed: 1,
    failures: { IMAGE_NOT_FOUND: 1 },
  });
  const byOld = await produce('test/wire/v1/producer.py', 'from-old-python');
  assert.deepEqual(byOld, rows, 'the example of version 1 does what it did');
});
