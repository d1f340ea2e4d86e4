import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportServing, type ServingWorker } from '../../../src/shared/fleet/servingWorkers.ts';
import { keysUnder } from '../../../src/shared/redis/keys.ts';
import { copyPictures, demoModel, jsonLines, startFleet } from '../../support/fleet.ts';
import { until } from '../../support/support.ts';

type Line = ServingWorker & { msg: string };
type Status = { imagesPerSecond: number; workers: ServingWorker[] };

test('a worker says what it did, in its log and to status, while it serves the model', async (t) => {
  const fleet = await startFleet(t);
  await copyPictures(fleet, 'many', 60);
  const flags = ['--labels', 'fox,owl', '--model', demoModel, '--chunk-size', '8', '--run', 'r'];
  assert.equal((await fleet.run('enqueue', 'many', ...flags)).code, 0);
  const status = async () =>
    jsonLines<Status>((await fleet.run('status', 'r', '--format', 'jsonl')).stdout)[0]!;
  assert.deepEqual((await status()).workers, []);
  assert.match((await fleet.run('status', 'r')).stdout, /\n\nNo worker serves this model now\.\n$/);

  const worker = fleet.start('worker', '--model', demoModel, '--log-every-ms', '300000');
  await until(async () => (await fleet.producer.runs.get('r'))?.state === 'complete', 'the run is complete');
  const [serving] = (await status()).workers;
  assert.equal(serving?.pid, worker.child.pid);
  assert.equal(serving?.device, 'cpu');
  assert.equal(serving?.model, (await fleet.producer.runs.get('r'))?.model);
  assert.match(
    (await fleet.run('status', 'r')).stdout,
    /\n\nworker +device +images\/s .*\n.* cpu +0\.0 .*\n1 worker /,
  );

  worker.child.kill('SIGTERM');
  const { stderr } = await worker.ended;
  const lines = jsonLines<Line>(stderr.replace(/^[^{].*$/gm, '')).filter(
    ({ msg }) => msg === 'worker report',
  );
  assert.equal(lines.length, 1, 'one window, closed at the end');
  const { images, batches, fill, imagesPerSecond, stages } = lines[0]!;
  assert.equal(images, 60);
  assert.ok(imagesPerSecond > 0 && batches > 0 && fill > 0 && fill <= 1, JSON.stringify(lines[0]));
  for (const [name, { images, busy, atOnce }] of Object.entries(stages)) {
    assert.equal(images, 60, name);
    assert.ok(busy > 0 && busy <= 1 && atOnce > 0, name);
  }
  assert.deepEqual((await status()).workers, [], 'a worker that ended is not listed');
});

test('a worker that ended without a word is not listed once its record has expired', async (t) => {
  const fleet = await startFleet(t);
  const worker = fleet.start('worker', '--model', demoModel, '--log-every-ms', '100');
  const keys = () => fleet.redis.keys('clipfleet:worker:*');
  await until(async () => (await keys()).length === 1, 'its record is there');
  worker.child.kill('SIGKILL');
  await worker.ended;
  await until(async () => (await keys()).length === 0, 'its record has expired');
});

test('the rates of all workers of the model are added up', async (t) => {
  const fleet = await startFleet(t);
  await copyPictures(fleet, 'few', 1);
  const flags = ['--labels', 'fox,owl', '--model', demoModel, '--run', 'r'];
  assert.equal((await fleet.run('enqueue', 'few', ...flags)).code, 0);
  const { model } = (await fleet.producer.runs.get('r'))!;
  const time = { images: 10, meanMs: 2, busy: 0.9, atOnce: 1.5 };
  const stages = { fetch: time, decode: time, wait: time, inference: time, score: time, store: time };
  const work = {
    windowMs: 10_000,
    images: 10,
    batches: 2,
    fill: 0.5,
    eventLoop: 0.2,
    bottleneck: 'session',
    stages,
  } as const;
  for (const [pid, imagesPerSecond] of [
    [12, 30],
    [7, 12.5],
  ] as const) {
    const about = { worker: `w${pid}`, host: 'h', pid, model, device: 'cpu', at: new Date().toISOString() };
    await reportServing(fleet.redis, keysUnder('clipfleet'), { ...about, ...work, imagesPerSecond }, 60_000);
  }
  const { stdout } = await fleet.run('status', 'r');
  const table = stdout
    .split('\n')
    .slice(-5)
    .map((line) => line.split(/ {2,}/));
  assert.deepEqual(table, [
    [
      'worker',
      'device',
      'images/s',
      'batch fill',
      'bottleneck',
      'fetch ms',
      'decode ms',
      'wait ms',
      'inference ms',
      'score ms',
      'store ms',
    ],
    ['h:7', 'cpu', '12.5', '50 %', 'session', '2.0', '2.0', '2.0', '2.0', '2.0', '2.0'],
    ['h:12', 'cpu', '30.0', '50 %', 'session', '2.0', '2.0', '2.0', '2.0', '2.0', '2.0'],
    ['2 workers', '42.5'],
    [''],
  ]);
});
