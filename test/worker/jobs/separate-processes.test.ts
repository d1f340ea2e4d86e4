import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copyPictures, demoModel, jsonLines, pictures, startFleet } from '../../support/fleet.ts';
import { until } from '../../support/support.ts';

test('enqueue, two workers, status and results are separate processes that share one run', async (t) => {
  const fleet = await startFleet(t);
  await copyPictures(fleet, 'many', 120);
  const args = ['--labels', 'fox,bear,owl,cat,car,dog', '--model', demoModel, '--chunk-size', '4'];
  const enqueued = await fleet.run('enqueue', 'many', ...args);
  assert.equal(enqueued.code, 0, enqueued.stderr);
  const run = enqueued.stdout.trim();
  assert.match(enqueued.stdout, /^[A-Za-z0-9_-]{1,64}\n$/, 'the run id alone on standard output');

  const waiting = jsonLines((await fleet.run('status', run, '--format', 'jsonl')).stdout)[0]!;
  assert.deepEqual([waiting.state, waiting.expected, waiting.waiting], ['sealed', 120, 120]);

  // Neither of them begins before both can.
  await fleet.producer.control.pause(run, 'until both workers are there');
  const workers = [1, 2].map(() => fleet.start('worker', '--model', demoModel, '--log-level', 'debug'));
  for (const worker of workers)
    await until(() => worker.text().stderr.includes('worker ready'), 'it is ready');
  await fleet.producer.resume(run);
  await until(async () => (await fleet.producer.runs.get(run))?.state === 'complete', 'the run is complete');
  for (const { child } of workers) child.kill('SIGTERM');
  const ended = await Promise.all(workers.map((worker) => worker.ended));
  for (const { code, stderr } of ended) assert.equal(code, 0, stderr);

  // Each image went through exactly one session: the batches of both workers together hold each image once.
  const images = ended.map(({ stderr }) =>
    jsonLines<{ msg: string; images: number }>(stderr.replace(/^[^{].*$/gm, ''))
      .filter(({ msg }) => msg === 'batch')
      .reduce((sum, batch) => sum + batch.images, 0),
  );
  assert.equal(images[0]! + images[1]!, 120);
  assert.ok(Math.min(...images) > 0, `both workers had a share, got ${images}`);

  const results = await fleet.run('results', run, '--format', 'jsonl');
  assert.equal(results.code, 0);
  const lines = jsonLines<{ id: string; predictions: { label: string }[] }>(results.stdout);
  assert.equal(new Set(lines.map(({ id }) => id)).size, 120);
  const right = lines.filter(({ id, predictions }) => id.includes(predictions[0]!.label));
  assert.equal(right.length, 120, 'the six pictures are all recognised among six names');
});

test('enqueue says that a path is wrong before it opens a run', async (t) => {
  const fleet = await startFleet(t);
  for (const path of ['no-such-folder', pictures]) {
    const { code, stdout, stderr } = await fleet.run(
      'enqueue',
      path,
      '--labels',
      'a,b',
      '--model',
      demoModel,
    );
    assert.deepEqual([code, stdout], [1, ''], stderr);
    assert.match(stderr, /^clipfleet: USAGE/m);
  }
  assert.deepEqual(await fleet.redis.keys('clipfleet:run:*'), []);
});
