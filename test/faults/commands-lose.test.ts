// enqueue and label, as processes, on a Redis that loses the end of its log or everything while they work.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createProducer, type Producer } from '../../src/producer/producer.ts';
import { connectRedis } from '../../src/shared/redis/redis.ts';
import { copyPictures, demoModel, type Ended, type Fleet, jsonLines, startFleet } from '../support/fleet.ts';
import { type RedisServer, startRedisServer } from '../support/redisServer.ts';
import { until } from '../support/support.ts';

const IMAGES = 240;

interface Scene {
  fleet: Fleet;
  server: RedisServer;
  producer: Producer;
  /** Resolves when so many images of run r have their row. */
  done(images: number): Promise<void>;
}

async function startScene(t: TestContext): Promise<Scene> {
  const server = await startRedisServer(t);
  const fleet = await startFleet(t);
  fleet.env.REDIS_URL = server.url;
  await copyPictures(fleet, 'many', IMAGES);
  const redis = await connectRedis({ url: server.url });
  redis.on('error', () => {});
  t.after(() => redis.disconnect());
  const producer = createProducer({ redis, onError: () => {} });
  const doneNow = async () => {
    const { classified } = await producer.store.counts('r');
    return classified;
  };
  const done = async (images: number) => {
    await until(async () => (await doneNow()) >= images, `${images} images are done`);
  };
  return { fleet, server, producer, done };
}

// A producer at its high water is at work for as long as the run is.
const how = ['--model', demoModel, '--labels', 'fox,owl', '--chunk-size', '4', '--high-water', '16'];
const commands = {
  enqueue: ['enqueue', 'many', ...how, '--run', 'r'],
  label: ['label', 'many', ...how, '--run', 'r'],
};

async function startWorker({ fleet }: Scene): Promise<void> {
  const worker = fleet.start('worker', '--model', demoModel, '--lock-ms', '2000');
  await until(() => worker.text().stderr.includes('worker ready'), 'the worker serves');
}

/** The log from some rows on is gone, after more were written. */
async function cut({ server, done }: Scene): Promise<void> {
  await done(12);
  const logBytes = await server.logBytes();
  await done(60);
  await server.loseFrom(logBytes);
}

async function isWhole({ fleet, producer }: Scene): Promise<void> {
  await until(async () => (await producer.runs.get('r'))?.state === 'complete', 'the run is complete');
  const { expected, classified, failed } = await producer.progress('r');
  assert.deepEqual({ expected, classified, failed }, { expected: IMAGES, classified: IMAGES, failed: 0 });
  const { stdout } = await fleet.run('results', 'r', '--format', 'jsonl');
  assert.equal(new Set(jsonLines(stdout).map(({ id }) => id)).size, IMAGES);
  const audit = await fleet.run('audit', 'r');
  assert.match(audit.stdout, new RegExp(`rows: ${IMAGES} classified, as counted`));
}

/** The sentence is one line, and its remedy is the same command. */
function saysLost({ code, stderr }: Ended): void {
  assert.equal(code, 1, stderr);
  assert.match(stderr, /^clipfleet: RUN_LOST: .*'r'.*/m);
  assert.doesNotMatch(stderr, /^ +at /m);
}

for (const command of ['enqueue', 'label'] as const) {
  test(`${command}: a log that lost its end in the middle: every image gets its row`, async (t) => {
    const scene = await startScene(t);
    if (command === 'enqueue') await startWorker(scene);
    const running = scene.fleet.start(...commands[command]);
    await cut(scene);
    const { code, stderr } = await running.ended;
    assert.equal(code, 0, stderr);
    await isWhole(scene);
  });

  test(`${command}: a Redis that came back empty: it says so, and the same command repairs it`, async (t) => {
    const scene = await startScene(t);
    if (command === 'enqueue') await startWorker(scene);
    const running = scene.fleet.start(...commands[command]);
    await scene.done(12);
    await scene.server.loseAll();
    saysLost(await running.ended);
    const again = await scene.fleet.run(...commands[command]);
    assert.equal(again.code, 0, again.stderr);
    await isWhole(scene);
  });
}
