// SIGTERM, and a supervisor that is gone, end a process in its grace time, whatever it waits for.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Queue } from 'bullmq';
import { laneName } from '../../src/shared/fleet/lanes.ts';
import { jobId } from '../../src/shared/runs/chunkJob.ts';
import { findModel } from '../../src/worker/model/loadModel.ts';
import { addDemoRun, runCompletes } from '../support/demoRun.ts';
import { demoModel, type Fleet, jsonLines, type Running, startFleet } from '../support/fleet.ts';
import { pathsOf, serveHeldImages } from '../support/heldImages.ts';
import { untilGone } from '../support/holder.ts';
import { startPoliteWorker } from '../support/politeFleet.ts';
import { startRedisServer } from '../support/redisServer.ts';
import { until } from '../support/support.ts';

const grace = ['--grace-ms', '2000'];

async function startWithoutRedis(t: TestContext, ...args: string[]): Promise<Running> {
  const server = await startRedisServer(t);
  const fleet = await startFleet(t);
  fleet.env.REDIS_URL = server.url;
  const worker = fleet.start('worker', '--model', demoModel, ...grace, ...args);
  await until(() => worker.text().stderr.includes('worker ready'), 'the worker takes jobs');
  await server.stop();
  await until(() => worker.text().stderr.includes('Redis connection'), 'it has noticed');
  return worker;
}

test('an idle worker whose Redis is gone ends when it is told to', async (t) => {
  const worker = await startWithoutRedis(t);
  worker.child.kill('SIGTERM');
  const { code, stderr } = await worker.ended;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /worker stopped/);
});

test('a worker that is told to end just before its Redis goes ends in time too', async (t) => {
  const server = await startRedisServer(t);
  const fleet = await startFleet(t);
  fleet.env.REDIS_URL = server.url;
  const worker = fleet.start('worker', '--model', demoModel, ...grace);
  await until(() => worker.text().stderr.includes('worker ready'), 'the worker takes jobs');
  worker.child.kill('SIGTERM');
  await until(() => worker.text().stderr.includes('SIGTERM'), 'it has heard');
  await server.stop();
  const { code, stderr } = await worker.ended;
  assert.equal(code, 0, stderr);
});

test('a worker process whose supervisor and Redis are gone ends by itself', async (t) => {
  const worker = await startWithoutRedis(t, '--processes', '1');
  const started = worker
    .text()
    .stderr.split('\n')
    .find((line) => line.includes('worker process started'));
  const { pid } = JSON.parse(started!) as { pid: number };
  t.after(() => {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone, as it should be.
    }
  });
  worker.child.kill('SIGKILL');
  await untilGone(pid);
});

async function attemptsOf(fleet: Fleet, chunk: string): Promise<[string, number | undefined]> {
  const { identity } = await findModel({ model: demoModel, revision: 'main', dtype: 'fp32' });
  const lane = new Queue(laneName('bulk', identity), { connection: fleet.redis, prefix: 'clipfleet' });
  try {
    const job = await lane.getJob(jobId((await fleet.producer.runs.get('r'))!, chunk, 0));
    return [(await job?.getState()) ?? 'gone', job?.attemptsMade];
  } finally {
    await lane.close();
  }
}

test('a worker whose host hangs gives its job back in time, without an attempt, and another does it', async (t) => {
  const fleet = await startFleet(t);
  const held = await serveHeldImages(t);
  const worker = await startPoliteWorker(fleet, ...grace);
  await addDemoRun(
    fleet,
    'r',
    [`${held.url}/held.jpg`, ...pathsOf('quick', 3).map((path) => held.url + path)],
    {},
  );
  await until(() => held.asked.includes('/held.jpg'), 'the image is asked for');
  worker.child.kill('SIGTERM');
  const { code, stderr } = await worker.ended;
  assert.equal(code, 0, stderr);
  const last = jsonLines<{ msg: string; givenBack: number; left: number }>(
    stderr.trim().split('\n').at(-1)!,
  )[0]!;
  assert.deepEqual([last.msg, last.givenBack, last.left], ['worker stopped', 1, 0]);
  assert.deepEqual(await attemptsOf(fleet, '0'), ['delayed', 0]);
  assert.equal((await fleet.producer.progress('r')).active, 0);

  held.letGo();
  await startPoliteWorker(fleet);
  await runCompletes(fleet, 'r');
  assert.equal((await fleet.producer.store.counts('r')).classified, 4);
});

test('enqueue at the high-water mark, and label whose host hangs, end at the first signal', async (t) => {
  const fleet = await startFleet(t);
  const held = await serveHeldImages(t);
  const urls = [1, 2, 3].map((i) => `${held.url}/held-${i}.jpg`);
  const labels = ['--labels', 'fox,owl', '--model', demoModel, ...grace];
  const mark = ['--high-water', '1', '--chunk-size', '1', '--run', 'r'];
  const adding = fleet.start('enqueue', ...urls, ...labels, ...mark);
  await until(async () => (await fleet.producer.runs.get('r'))?.pending, 'it waits at the mark');
  adding.child.kill('SIGINT');
  assert.deepEqual([(await adding.ended).code, adding.child.signalCode], [130, null]);
  // The same run again, at its mark, all of which waits in jobs or comes again.
  const again = fleet.start('enqueue', urls[0]!, ...labels, ...mark);
  assert.equal((await again.ended).code, 0, again.text().stderr);

  const label = fleet.start('label', urls[0]!, ...labels, '--allow-private-addresses');
  await until(() => held.asked.length > 0, 'the image is asked for');
  label.child.kill('SIGINT');
  const { code } = await label.ended;
  assert.ok(code === 130 || label.child.signalCode === 'SIGINT', `${code}`);
});
