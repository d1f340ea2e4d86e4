import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { defineLabelSet } from '../../../src/shared/labels/labelSet.ts';
import { copyPictures, demoModel, jsonLines, startFleet } from '../../support/fleet.ts';
import { until } from '../../support/support.ts';

const how = ['--labels', 'fox,owl', '--model', demoModel, '--chunk-size', '4'];

test('runs lists all runs, the newest first, as a table and as JSON lines', async (t) => {
  const fleet = await startFleet(t);
  const none = await fleet.run('runs');
  assert.deepEqual([none.code, none.stdout, none.stderr.trim()], [0, '', 'No runs.']);
  assert.deepEqual(await fleet.run('runs', '--format', 'jsonl'), { code: 0, stdout: '', stderr: '' });

  await copyPictures(fleet, 'many', 8);
  await writeFile(join(fleet.folder, 'many', 'none.png'), '');
  await fleet.run('enqueue', 'many', ...how, '--run', 'done');
  const worker = fleet.start('worker', '--model', demoModel);
  await until(async () => (await fleet.producer.runs.get('done'))?.state === 'complete', 'one is complete');
  worker.child.kill('SIGTERM');
  await worker.ended;
  for (const run of ['held', 'ended']) await fleet.run('enqueue', 'many', ...how, '--run', run);
  await fleet.run('pause', 'held');
  await fleet.run('cancel', 'ended');
  const { model } = await fleet.producer.describe('done');
  await fleet.producer.runs.open({ run: 'new', model, labelSet: 'l', lane: '{lane}' });

  const { code, stdout } = await fleet.run('runs');
  assert.equal(code, 0);
  assert.deepEqual(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) =>
        line
          .replace(/^(started|\d{4}-\d\d-\d\d \d\d:\d\d)/, 'TIME')
          .replace(/~[\d.]+ kB/, 'SIZE')
          .split(/ {2,}/),
      ),
    [
      ['TIME', 'run', 'state', 'images', 'failed', 'left', 'Redis', 'labels', 'source', 'model'],
      ['TIME', 'new', 'open', '0', '0', '0', 'SIZE', '-', '-', model],
      ['TIME', 'ended', 'cancelled', '9', '0', '0', 'SIZE', '2: fox, owl', 'many', model],
      ['TIME', 'held', 'paused', '9', '0', '9', 'SIZE', '2: fox, owl', 'many', model],
      ['TIME', 'done', 'complete', '9', '1', '0', 'SIZE', '2: fox, owl', 'many', model],
    ],
  );
  const lines = jsonLines((await fleet.run('runs', '--format', 'jsonl')).stdout);
  assert.deepEqual(
    lines.map(({ run, state, paused, expected, classified, failures, skipped }) => [
      run,
      state,
      paused ?? null,
      expected,
      classified,
      failures,
      skipped,
    ]),
    [
      ['new', 'open', null, 0, 0, {}, 0],
      ['ended', 'cancelled', null, 9, 0, {}, 9],
      ['held', 'sealed', 'by hand', 9, 0, {}, 0],
      ['done', 'complete', null, 9, 8, { IMAGE_EMPTY: 1 }, 0],
    ],
  );
});

test('what a run takes of Redis is a sum over its keys and those of its jobs', async (t) => {
  const fleet = await startFleet(t);
  const { producer, redis } = fleet;
  const labelSet = defineLabelSet({ labels: ['fox', 'owl'] });
  const run = await producer.openRun({ model: 'm@1:fp32', labelSet, run: 'r' });
  const refs = Array.from({ length: 2_000 }, (_, i) => ({ id: `image-${i}`, uri: `pictures/${i}.jpg` }));
  await run.add(refs, { chunkSize: 10 });
  await run.close();
  const row = { generation: 0, at: 1, status: 'failed', error: { code: 'INTERNAL', message: 'm' } } as const;
  await producer.store.putRows(
    (await producer.runs.get('r'))!,
    refs.slice(0, 1_000).map((ref, index) => ({ ...ref, ...row, place: { chunk: 0, index } })),
  );
  let sum = 0;
  for (const key of await redis.keys('*'))
    if (/\{r[.}]|:r\.\d/.test(key)) sum += Number(await redis.call('MEMORY', 'USAGE', key, 'SAMPLES', '0'));
  const [listed] = await producer.list({ held: true });
  const share = listed!.redisBytes! / sum;
  assert.ok(share > 0.9 && share < 1.1, `${listed!.redisBytes} of ${sum}`);
  assert.equal((await producer.list())[0]!.redisBytes, undefined);
});
