// Redis away for some seconds, in one of the ways it goes away, and what a worker does then.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createProducer } from '../../src/producer/producer.ts';
import { connectRedis } from '../../src/shared/redis/redis.ts';
import { addDemoRun } from './demoRun.ts';
import { copyPictures, demoModel, type Fleet, startFleet } from './fleet.ts';
import { startRedisProxy } from './redisProxy.ts';
import { startRedisServer } from './redisServer.ts';
import { isWhole, startCluster, startSentinels } from './redisSeveral.ts';
import { until } from './support.ts';

/**
 * `plain`: connections are refused. `moved`: the server is demoted, and its address leads to another. `half-open`: nothing arrives. `sentinel`: the
 * primary is killed, and sentinels make its replica one; away is until they have. `cluster`: one of three nodes is killed, and comes back.
 */
export const ways = ['plain', 'moved', 'half-open', 'sentinel', 'cluster'] as const;
export type Way = (typeof ways)[number];

/** The endpoint that a worker knows, and how it goes away and comes back. */
interface Endpoint {
  url: string;
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  /** The port of the server that has the data now. */
  port(): number;
}

async function openSentinels(t: TestContext): Promise<Endpoint> {
  const { url, servers, primary } = await startSentinels(t);
  let [now, other] = servers;
  let isDown = false;
  const saysOf = async (server: typeof now, what: RegExp) =>
    what.test(String(await server.ask('INFO', 'replication').catch(() => '')));
  return {
    ...{ url, port: () => now.port },
    async goAway() {
      // What was the primary before comes back, and is made a replica.
      if (isDown) await other.start();
      await until(() => saysOf(other, /master_link_status:up/), 'the other server follows the primary');
      await now.stop();
      isDown = true;
    },
    async comeBack() {
      await until(
        async () => (await primary()) === other,
        'the sentinels have made the other server the primary',
      );
      await until(() => saysOf(other, /role:master/), 'it is one');
      [now, other] = [other, now];
    },
  };
}

async function openCluster(t: TestContext): Promise<Endpoint> {
  const { url, nodes } = await startCluster(t);
  let turn = 0;
  const node = () => nodes[turn % nodes.length]!;
  return {
    url,
    port: () => nodes[(turn + 1) % nodes.length]!.port,
    goAway: () => node().stop(),
    async comeBack() {
      await node().start();
      for (const each of nodes) await until(() => isWhole(each), 'the cluster is whole again');
      turn++;
    },
  };
}

async function openEndpoint(t: TestContext, way: Way): Promise<Endpoint> {
  if (way === 'sentinel') return openSentinels(t);
  if (way === 'cluster') return openCluster(t);
  let server = await startRedisServer(t);
  const proxy = await startRedisProxy(t, server.port);
  const common = { url: proxy.url, port: () => server.port };
  if (way === 'plain') {
    return { ...common, goAway: () => server.stop(), comeBack: () => server.start() };
  }
  if (way === 'half-open') {
    return { ...common, goAway: async () => proxy.swallow(), comeBack: async () => proxy.letThrough() };
  }
  let standby = await startRedisServer(t);
  const follow = (of: typeof server, master: typeof server) =>
    of.ask('REPLICAOF', '127.0.0.1', String(master.port));
  const isInStep = async () => /master_link_status:up/.test(String(await standby.ask('INFO', 'replication')));
  return {
    ...common,
    async goAway() {
      await follow(standby, server);
      await until(isInStep, 'the second server has the data');
      await server.ask('WAIT', '1', '10000');
      proxy.refuse();
      // The first server may be read from, and is no more than that; its connections stay.
      await server.ask('CLIENT', 'PAUSE', '60000', 'WRITE');
      await until(() => isCaughtUp(server, standby), 'the second server has all of it');
      await standby.ask('REPLICAOF', 'NO', 'ONE');
      await follow(server, standby);
      await server.ask('CLIENT', 'UNPAUSE');
    },
    async comeBack() {
      [server, standby] = [standby, server];
      proxy.leadTo(server.port);
      proxy.letThrough();
    },
  };
}

async function isCaughtUp(first: { ask: Asked }, second: { ask: Asked }): Promise<boolean> {
  const offset = async (server: { ask: Asked }) =>
    /master_repl_offset:(\d+)/.exec(String(await server.ask('INFO', 'replication')))?.[1];
  return (await offset(first)) === (await offset(second));
}

type Asked = (...words: [string, ...string[]]) => Promise<unknown>;

const IDLE_IMAGES = 16;
const BUSY_IMAGES = 600;

/**
 * A test of one worker that loses Redis again and again: for so many seconds each, idle and busy. After each return it does jobs again,
 * and all rows are there, once each.
 *
 * @param backMs how long after the return it may take until the next image is done
 */
export function testRedisAway(way: Way, seconds: readonly number[], backMs: number): void {
  const limit = seconds.reduce((sum, each) => sum + 2 * each, 0) + 300;
  test(`Redis away (${way}) for ${seconds.join(' and ')} s, idle and busy`, {
    timeout: 1_000 * limit,
  }, async (t) => {
    const endpoint = await openEndpoint(t, way);
    const fleet = await startFleet(t);
    await copyPictures(fleet, 'few', IDLE_IMAGES);
    await copyPictures(fleet, 'many', BUSY_IMAGES);
    fleet.env.REDIS_URL = endpoint.url;
    const worker = fleet.start('worker', '--model', demoModel, '--lock-ms', '5000');
    await until(() => worker.text().stderr.includes('worker ready'), 'the worker takes jobs');
    for (const away of seconds) {
      for (const load of ['idle', 'busy'] as const) {
        const run = `${load}-${away}`;
        const tookMs = await goAwayOnce(t, fleet, endpoint, { run, load, awayMs: 1_000 * away, backMs });
        t.diagnostic(
          `${way}, ${load}, away ${away} s: an image done ${Math.round(tookMs)} ms after its return`,
        );
      }
    }
    assert.equal(worker.child.exitCode, null, worker.text().stderr);
    worker.child.kill('SIGTERM');
    assert.equal((await worker.ended).code, 0);
  });
}

interface Away {
  run: string;
  load: 'idle' | 'busy';
  awayMs: number;
  backMs: number;
}

/** Resolves to the milliseconds from the return of Redis to the next image that is done. */
async function goAwayOnce(
  t: TestContext,
  fleet: Fleet,
  endpoint: Endpoint,
  { run, load, awayMs, backMs }: Away,
): Promise<number> {
  const [folder, count] = load === 'idle' ? ['few', IDLE_IMAGES] : ['many', BUSY_IMAGES];
  const names = ['owl.jpg', 'car.jpg', 'cat.webp', 'bear.png', 'fox.jpg', 'dog.jpg'];
  const uris = Array.from(
    { length: count },
    (_, i) => `${folder}/${String(i).padStart(4, '0')}-${names[i % names.length]}`,
  );
  const doneOf = async (of: Fleet) => {
    const { classified, failed } = await of.producer.store.counts(run);
    return classified + failed;
  };
  if (load === 'busy') {
    const before = await connectTo(t, fleet, endpoint.port());
    await addDemoRun(before, run, uris, { chunkSize: 16 });
    await until(async () => (await doneOf(before)) > 0, 'it works');
    before.redis.disconnect();
  }
  await endpoint.goAway();
  await delay(awayMs);
  await endpoint.comeBack();
  const cameBackAt = performance.now();
  const after = await connectTo(t, fleet, endpoint.port());
  const doneBefore = load === 'busy' ? await doneOf(after) : 0;
  if (load === 'idle') await addDemoRun(after, run, uris, { chunkSize: 4 });
  const goesOn = async () => {
    const done = await doneOf(after);
    return done > doneBefore || done === count;
  };
  await until(goesOn, 'jobs are done again', backMs);
  const tookMs = performance.now() - cameBackAt;
  await until(async () => (await after.producer.runs.get(run))?.state === 'complete', 'all is done', 120_000);
  const rows = await after.rows(run);
  assert.deepEqual(rows.map(({ id }) => id).sort(), [...uris].sort());
  assert.ok(rows.every(({ status }) => status === 'classified'));
  after.redis.disconnect();
  return tookMs;
}

/** The fleet as one sees it that has a connection of its own to the server. */
async function connectTo(t: TestContext, fleet: Fleet, port: number): Promise<Fleet> {
  const redis = (await until(
    () => connectRedis({ url: `redis://127.0.0.1:${port}` }).catch(() => undefined),
    'the server takes connections',
  ))!;
  redis.on('error', () => {});
  t.after(() => redis.disconnect());
  const producer = createProducer({ redis });
  const rows: Fleet['rows'] = async (run) => {
    const page = await producer.store.getRows(run);
    const all = [...page.rows];
    for (let { cursor } = page; cursor !== undefined; ) {
      const next = await producer.store.getRows(run, cursor);
      all.push(...next.rows);
      cursor = next.cursor;
    }
    return all;
  };
  return { ...fleet, redis, producer, rows };
}
