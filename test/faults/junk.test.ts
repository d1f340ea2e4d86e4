// What somebody else, or a newer version, put into Redis: named once and passed over by workers and commands, and no other job is held up.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Queue } from 'bullmq';
import { openLaneQueue } from '../../src/shared/fleet/laneQueue.ts';
import { modelKey } from '../../src/shared/fleet/modelIdentity.ts';
import { keysUnder } from '../../src/shared/redis/keys.ts';
import { jobId } from '../../src/shared/runs/chunkJob.ts';
import { copyPictures, demoModel, type Fleet, startFleet } from '../support/fleet.ts';
import { until } from '../support/support.ts';

const keys = keysUnder('clipfleet');
const labels = ['--labels', 'fox,owl', '--model', demoModel];

/** Run r of twelve pictures, a job each, none of which is done yet. */
async function addRun(t: TestContext): Promise<{ fleet: Fleet; lane: Queue }> {
  const fleet = await startFleet(t);
  await copyPictures(fleet, 'pics', 12);
  await enqueue(fleet);
  const { lane: name } = (await fleet.producer.runs.get('r'))!;
  const lane = openLaneQueue(name, { redis: fleet.redis, prefix: 'clipfleet', onError: () => {} });
  t.after(() => lane.close());
  return { fleet, lane };
}

async function enqueue(fleet: Fleet): Promise<string> {
  const how = ['--chunk-size', '1', '--run', 'r', '--attempts', '1'];
  const { code, stderr } = await fleet.run('enqueue', 'pics', ...labels, ...how);
  assert.equal(code, 0, stderr);
  return stderr;
}

/** Spoils jobs of the run, each in a way of its own. */
async function spoilJobs({ redis, producer }: Fleet, lane: Queue): Promise<void> {
  const record = (await producer.runs.get('r'))!;
  const job = (chunk: number) => lane.toKey(jobId(record, String(chunk), 0));
  await redis.hset(job(0), 'data', 'no JSON');
  await redis.hset(job(1), 'opts', 'no JSON');
  await redis.hset(job(2), 'progress', 'no JSON');
  await redis.hset(job(3), 'opts', 'null', 'progress', '{');
  await redis.hset(job(4), 'data', '["no chunk"]');
  await redis.del(job(5));
  await redis.set(job(5), 'of another type');
  // BullMQ would follow these, and drop the job when it fails.
  await redis.hset(job(6), 'parent', 'no JSON', 'rjk', 'x', 'parentKey', 'y');
  await redis.hset(job(7), 'opts', '{"removeOnFail":true}', 'data', '{"v":1,"images":["lost",""],"more":1}');
}

async function expectOutput(fleet: Fleet, args: string[], expected: RegExp, code = 0): Promise<void> {
  const ended = await fleet.run(...args);
  assert.equal(ended.code, code, `${args.join(' ')}: ${ended.stderr}`);
  assert.match(ended.stdout + ended.stderr, expected);
  assert.doesNotMatch(ended.stderr, /\n {4}at /, 'no stack');
}

test('jobs that cannot be read hold up no other: their run completes, and says what has no row', async (t) => {
  const { fleet, lane } = await addRun(t);
  await spoilJobs(fleet, lane);
  const worker = fleet.start('worker', '--model', demoModel, '--lock-ms', '1000');
  const done = async () => (await fleet.producer.progress('r')).done;
  await until(async () => (await done()) === 9, 'all that can be read is done');
  await until(async () => (await fleet.producer.runs.get('r'))?.pending === 1, 'the rest is given up');
  // Of the one whose key is of another type only the ledger knows.
  await expectOutput(fleet, ['audit', 'r'], /1 chunks taken back, .*\(5\)/);
  await expectOutput(
    fleet,
    ['status', 'r'],
    /complete[\s\S]*images have no row, because the job of chunk 0 could/,
  );
  const progress = await fleet.producer.progress('r');
  assert.deepEqual(
    [progress.complete, progress.classified, progress.failures],
    [true, 8, { JOB_INVALID: 1 }],
  );
  assert.deepEqual((await fleet.producer.runs.warnings('r')).length, 2);
  worker.child.kill('SIGTERM');
  const { code, stderr } = await worker.ended;
  assert.equal(code, 0, stderr);
  const record = (await fleet.producer.runs.get('r'))!;
  for (const chunk of ['0', '4', '7']) {
    const job = jobId(record, chunk, 0);
    const named = stderr
      .split('\n')
      .filter((line) => line.includes(`"${job}"`) && line.includes('JOB_INVALID'));
    assert.ok(
      named.length === 1 || named.length === 2,
      `${job} is named, and where it is refused once more:\n${stderr}`,
    );
  }
  const ofAnotherType = stderr.split('\n').filter((line) => /'r\.5\.0\.[^']*' \(string\)/.test(line));
  assert.equal(ofAnotherType.length, 1, `the job of another type is named once:\n${stderr}`);
  // What has no row comes again from the source.
  assert.match(await enqueue(fleet), /added/);
  fleet.start('worker', '--model', demoModel);
  await until(async () => (await done()) === 13, 'and then has one');
});

test('commands pass over jobs that cannot be read, also where no worker runs', async (t) => {
  const { fleet, lane } = await addRun(t);
  await spoilJobs(fleet, lane);
  for (const command of ['pause', 'resume', 'status', 'results'])
    await expectOutput(fleet, [command, 'r'], /./);
  await expectOutput(fleet, ['audit', 'r'], /3 chunks taken back/);
  await expectOutput(fleet, ['retry', 'r'], /0 failed images/);
  await enqueue(fleet);
  // The twelve, and the image that a job names which is no chunk.
  assert.equal((await fleet.producer.progress('r')).waiting, 13);
  await expectOutput(fleet, ['cancel', 'r'], /./);
  await expectOutput(fleet, ['rm', 'r'], /removed r/);
  assert.deepEqual(await fleet.redis.keys('clipfleet:*{r*'), []);
});

test('a row that is none is passed over and named; audit removes it, and the image comes again', async (t) => {
  const { fleet } = await addRun(t);
  const [spoiled, short] = ['pics/0003-bear.png', 'pics/0004-fox.jpg'];
  for (const [id, text] of [
    [spoiled, '{"no":"row"}'],
    [short, ''],
  ] as const)
    for (let bucket = 0; bucket < 4; bucket++) await fleet.redis.hset(keys.rows('r', bucket), id, text);
  const worker = fleet.start('worker', '--model', demoModel);
  await until(async () => (await fleet.producer.runs.get('r'))?.state === 'complete', 'it is complete');
  await expectOutput(fleet, ['results', 'r'], /is no row \(.*clipfleet audit r/);
  await expectOutput(fleet, ['retry', 'r'], /0 failed images/);
  await expectOutput(fleet, ['audit', 'r'], /rows that are none, of .*pics\/0003-bear.png/);
  const again = await fleet.run('results', 'r');
  assert.doesNotMatch(again.stderr, /is no row/);
  await enqueue(fleet);
  await until(async () => (await fleet.producer.progress('r')).classified === 12, 'all have their row');
  worker.child.kill('SIGTERM');
  await worker.ended;
});

test('runs and workers of a newer version, and keys of another type, are named; the other runs are shown', async (t) => {
  const { fleet } = await addRun(t);
  const { redis } = fleet;
  await redis.hset(keys.run('newer'), { v: 2, model: 'm@1:fp32', all: 'is new' });
  await redis.set(keys.run('string'), 'of another type');
  await redis.hset(keys.run('words'), { v: 1, model: 'm@1:fp32', images: 'many' });
  await expectOutput(fleet, ['runs'], / r +sealed[\s\S]*RUN_UNREADABLE: .*'newer'/);
  for (const run of ['newer', 'string', 'words']) {
    for (const command of ['status', 'results', 'audit', 'retry'])
      await expectOutput(fleet, [command, run], /RUN_UNREADABLE/, 1);
    await expectOutput(fleet, ['rm', run], /removed/);
  }
  await expectOutput(fleet, ['runs'], /^(?![\s\S]*RUN_UNREADABLE)/);

  const worker = fleet.start('worker', '--model', demoModel);
  await until(() => worker.text().stderr.includes('worker ready'), 'the worker is ready');
  const { model } = (await fleet.producer.runs.get('r'))!;
  const names = keys.workers(modelKey(model));
  await until(async () => (await redis.zcard(names)) > 0, 'it says what it does');
  const [own] = await redis.zrange(names, '0', '0');
  for (const name of ['newer-one', 'no-json']) await redis.zadd(names, Date.now(), name);
  const [record] = await redis.keys(`clipfleet:worker:*${own}`);
  await redis.set(record!.replace(own!, 'newer-one'), '{"worker":"newer-one","rate":1}');
  await redis.set(record!.replace(own!, 'no-json'), 'no JSON');
  await redis.hset(keys.models(), model, 'no JSON');
  await expectOutput(
    fleet,
    ['status', 'r'],
    /newer-one says[\s\S]*no-json says|no-json says[\s\S]*newer-one says/,
  );
  await enqueue(fleet);
  worker.child.kill('SIGTERM');
  await worker.ended;
});

test('keys of the fleet of another type end commands with a code and the key’s name, and no worker that runs', async (t) => {
  const { fleet } = await addRun(t);
  const { redis } = fleet;
  const { model } = (await fleet.producer.runs.get('r'))!;
  const worker = fleet.start('worker', '--model', demoModel, '--log-every-ms', '1000');
  await until(() => worker.text().stderr.includes('worker ready'), 'the worker is ready');
  const workers = keys.workers(modelKey(model));
  for (const key of [workers, keys.models()]) {
    await redis.del(key);
    await redis.set(key, 'of another type');
  }
  await until(() => worker.text().stderr.includes('worker report not stored'), 'it says so');
  assert.match(worker.text().stderr, /Expected Clipfleet's own data under the key 'clipfleet:workers:/);
  await until(async () => (await fleet.producer.runs.get('r'))?.state === 'complete', 'it works');
  await expectOutput(fleet, ['status', 'r'], /REDIS_UNSUITABLE: .*'clipfleet:workers:/, 1);
  await expectOutput(fleet, ['worker', '--model', demoModel], /REDIS_UNSUITABLE: .*'clipfleet:models'/, 1);
  worker.child.kill('SIGTERM');
  await worker.ended;
});
