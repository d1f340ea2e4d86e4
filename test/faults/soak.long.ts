// A long run under constant loss: every five seconds a worker is killed that takes jobs, Redis is killed once, and one image kills whoever asks
// for it. How many runs, one after the other, and of how many images: SOAK_RUNS and SOAK_IMAGES.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import sharp from 'sharp';
import { createProducer } from '../../src/producer/producer.ts';
import { connectRedis } from '../../src/shared/redis/redis.ts';
import type { Row } from '../../src/shared/rows/row.ts';
import { type Fleet, jsonLines, pictures, type Running, repository, startFleet } from '../support/fleet.ts';
import { serveHttp } from '../support/imageServer.ts';
import { startRedisServer } from '../support/redisServer.ts';

const IMAGES = Number(process.env.SOAK_IMAGES ?? 20_000);
const FILES = 48;
const POISON_AT = Math.floor(IMAGES / 3);
const WORKERS = 3;
const KILL_EVERY_MS = 5_000;
/** Rows that there are when Redis is killed. */
const REDIS_KILL = IMAGES / 2;
const REDIS_AWAY_MS = 2_000;
const LIMIT_MS = 1_800_000;
const model = join(repository, 'test/golden/models/clip');

for (let run = 1; run <= Number(process.env.SOAK_RUNS ?? 1); run++) {
  test(
    `run ${run}: ${IMAGES} images, a worker killed every 5 s, Redis once, one poison image: none lost, none doubled, one failed`,
    {
      timeout: 2 * LIMIT_MS,
    },
    soak,
  );
}

async function soak(t: TestContext): Promise<void> {
  const fleet = await startFleet(t);
  const server = await startRedisServer(t);
  fleet.env.REDIS_URL = server.url;
  const redis = await connectRedis({ url: server.url });
  redis.on('error', () => {});
  t.after(() => redis.disconnect());
  const producer = createProducer({ redis });
  // By the name under which each asks hosts: every process has its own, so that the one that asked for the poison is the one killed.
  const workers = new Map<string, Running>();
  let started = 0;
  const start = () => {
    const name = `worker-${started++}`;
    const how = ['--model', model, '--lock-ms', '2000', '--threads', '1', '--allow-private-addresses'];
    workers.set(name, fleet.start('worker', ...how, '--user-agent', name));
  };
  const kill = async (name: string) => {
    const worker = workers.get(name);
    // Killed already, with its question on the way.
    if (!worker) return;
    workers.delete(name);
    worker.child.kill('SIGKILL');
    await worker.ended;
    start();
  };
  let poisoned = 0;
  const url = await serveHttp(t, ({ headers }) => {
    poisoned++;
    void kill(headers['user-agent']!);
  });
  await writeSource(fleet, `${url}/poison.jpg`);
  for (let place = 0; place < WORKERS; place++) start();
  const enqueue = ['--labels', 'fox,owl', '--model', model, '--run', 'r', '--chunk-size', '32'];
  const added = await fleet.run('enqueue', 'list.csv', ...enqueue);
  assert.equal(added.code, 0, added.stderr);

  const beganAt = performance.now();
  let kills = 0;
  let killedAt = performance.now();
  let redisKills = 0;
  for (;;) {
    await delay(250);
    const { state, done } = await producer.progress('r');
    if (state === 'complete') break;
    assert.ok(performance.now() - beganAt < LIMIT_MS, `${done} done in ${LIMIT_MS} ms`);
    if (redisKills === 0 && done >= REDIS_KILL) {
      redisKills++;
      await server.stop();
      await delay(REDIS_AWAY_MS);
      await server.start();
    }
    if (performance.now() - killedAt < KILL_EVERY_MS) continue;
    // One that starts holds nothing yet; on a slow machine none would ever come to work.
    const ready = [...workers].flatMap(([name, worker]) =>
      worker.text().stderr.includes('worker ready') ? [name] : [],
    );
    if (ready.length === 0) continue;
    killedAt = performance.now();
    kills++;
    await kill(ready[0]!);
  }
  const seconds = Math.round((performance.now() - beganAt) / 1_000);
  t.diagnostic(
    `${seconds} s, ${kills} workers killed, ${poisoned} by the poison image, Redis ${redisKills} times`,
  );

  const { expected, classified, failed, duplicates } = await producer.progress('r');
  assert.deepEqual([expected, classified, failed, duplicates], [IMAGES, IMAGES - 1, 1, 0]);
  const rows: Row[] = [];
  for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
    const page = await producer.store.getRows('r', cursor);
    rows.push(...page.rows);
    cursor = page.cursor;
  }
  assert.deepEqual([rows.length, new Set(rows.map(({ id }) => id)).size], [IMAGES, IMAGES]);
  const failures = rows.flatMap((row) => (row.status === 'failed' ? [[row.id, row.error.code]] : []));
  assert.deepEqual(failures, [['poison', 'IMAGE_CRASHED_WORKER']]);
  const audited = await fleet.run('audit', 'r', '--format', 'jsonl');
  assert.equal(audited.code, 0, audited.stderr);
  assert.deepEqual(jsonLines(audited.stdout)[0]!.withdrawn, []);
  const last = [...workers.values()];
  for (const { child } of last) child.kill('SIGKILL');
  await Promise.all(last.map(({ ended }) => ended));
}

/** Some dozens of small image files, and a list in which thousands of images name them; one in the middle is the poison. */
async function writeSource({ folder }: Fleet, poison: string): Promise<void> {
  const names = ['owl.jpg', 'cat.webp', 'bear.png', 'fox.jpg'];
  for (let i = 0; i < FILES; i++) {
    const small = sharp(join(pictures, names[i % names.length]!)).resize(30 + i, 30, { fit: 'fill' });
    await small.png().toFile(join(folder, `${i}.png`));
  }
  const lines = Array.from({ length: IMAGES }, (_, i) =>
    i === POISON_AT ? `poison,${poison}` : `image-${i},${i % FILES}.png`,
  );
  await writeFile(join(folder, 'list.csv'), `id,path\n${lines.join('\n')}\n`);
}
