// What one Redis carries when the session takes no time: node dist/bench/fleet.js [--workers 1,2] [--chunks 64] [--rounds 1]
// Real jobs through a real Redis, that keeps its data, to 1 to 16 processes with a worker's own lane and consume. "Popped"
// is BullMQ alone; then with rows stored; beside them one bare client that stores the same rows with the same script, 64 in a
// call. All take turns in each round.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Queue } from 'bullmq';
import { createProducer } from '../src/producer/producer.ts';
import type { ImageRef } from '../src/shared/imageRef.ts';
import { keysUnder } from '../src/shared/keys.ts';
import { laneName } from '../src/shared/lanes.ts';
import { leaseLocalRedis } from '../src/shared/localRedis.ts';
import { connectRedis } from '../src/shared/redis.ts';
import type { Row } from '../src/shared/row.ts';
import { ROW_BUCKETS } from '../src/shared/rowBucket.ts';
import { encodeRow } from '../src/shared/rowCodec.ts';
import { fingerprint, imageRefs, labelSet, model, predictionsOf, prefix } from './fleetScene.ts';
import type { Order } from './fleetWorker.ts';
import { describeMachine } from './machine.ts';
import { format, spreadOf } from './spread.ts';

const { values } = parseArgs({
  options: {
    workers: { type: 'string', default: '1,2,4,16' },
    chunks: { type: 'string', default: '1,32,64,256' },
    rounds: { type: 'string', default: '3' },
    images: { type: 'string', default: '100000' },
  },
});
const [workerCounts, chunkSizes] = [values.workers, values.chunks].map((list) => list.split(',').map(Number));
const rounds = Number(values.rounds);
const imagesMax = Number(values.images);
/** A job takes a certain time whatever it carries. */
const JOBS_MAX = 5_000;
const lane = laneName('bulk', model);
const keys = keysUnder(prefix);

interface Figures {
  imagesPerSecond: number;
  /** Seconds of Redis' processor for a million images. */
  redisSeconds: number;
  bytesWaiting?: number;
  bytesStored?: number;
}

const folder = await mkdtemp(join(tmpdir(), 'clipfleet-bench-'));
const lease = await leaseLocalRedis({ dataDir: folder });
const redis = await connectRedis({ socket: lease.socket });
const producer = createProducer({ redis, prefix });
const queue = new Queue(lane, { connection: redis, prefix });
const workers: ChildProcess[] = [];
for (let i = 0; i < Math.max(...workerCounts!); i++) {
  const worker = fork(fileURLToPath(new URL('./fleetWorker.js', import.meta.url)), [lease.socket]);
  workers.push(worker);
  await once(worker, 'message');
}

const figures = new Map<string, Figures[]>();
const note = (name: string, round: number, found: Figures) => {
  // The first round warms up.
  if (round > 0) figures.set(name, [...(figures.get(name) ?? []), found]);
};
for (let round = 0; round <= rounds; round++) {
  note('bare', round, await storeBarely());
  for (const count of workerCounts!) {
    for (const chunkSize of chunkSizes!) {
      for (const rows of [false, true])
        note(`${count} ${chunkSize} ${rows}`, round, await work(count, chunkSize, rows));
    }
  }
}
const redisVersion = await infoOf('server', 'redis_version');
for (const worker of workers) worker.disconnect();
await queue.close();
redis.disconnect();
await lease.release();
await rm(folder, { recursive: true, maxRetries: 5 });

const bare = figures.get('bare')!;
const column = (name: string, of: (found: Figures) => number | undefined, digits: number) =>
  format(spreadOf(figures.get(name)!.map((found) => of(found)!)), digits);
console.log(
  '| workers | images a job | popped, images/s | Redis, s for 10⁶ | with rows stored, images/s | ÷ bare client | Redis, s for 10⁶ | bytes an image waiting | bytes a row |',
);
console.log(`|${'---|'.repeat(9)}`);
for (const count of workerCounts!) {
  for (const chunkSize of chunkSizes!) {
    const [pop, store] = [false, true].map((rows) => `${count} ${chunkSize} ${rows}`) as [string, string];
    const ratios = figures.get(store)!.map((found, i) => found.imagesPerSecond / bare[i]!.imagesPerSecond);
    const cells = [
      column(pop, (found) => found.imagesPerSecond, 0),
      column(pop, (found) => found.redisSeconds, 1),
      column(store, (found) => found.imagesPerSecond, 0),
      format(spreadOf(ratios), 2),
      column(store, (found) => found.redisSeconds, 1),
      column(store, (found) => found.bytesWaiting, 1),
      column(store, (found) => found.bytesStored, 1),
    ];
    console.log(`| ${count} | ${chunkSize} | ${cells.join(' | ')} |`);
  }
}
console.log(
  `\nThe bare client: ${column('bare', (found) => found.imagesPerSecond, 0)} rows/s, Redis ` +
    `${column('bare', (found) => found.redisSeconds, 1)} s for a million. Bytes waiting are those beyond id and uri. Median of ` +
    `${rounds} rounds (smallest to largest). ${describeMachine(['bullmq', 'ioredis'])}, Redis ${redisVersion}.`,
);

/** Adds a run, lets so many workers do it, and reads what it took. */
async function work(count: number, chunkSize: number, rows: boolean): Promise<Figures> {
  const images = Math.min(imagesMax, JOBS_MAX * chunkSize);
  await redis.flushall();
  const before = await usedMemory();
  const run = await producer.openRun({ model, labelSet });
  await run.add(imageRefs(images), { chunkSize, highWater: Number.POSITIVE_INFINITY });
  await run.seal();
  const texts = [...imageRefs(images)].reduce((sum, { id, uri }) => sum + id.length + uri.length, 0);
  const bytesWaiting = ((await usedMemory()) - before - texts) / images;
  const cpu = await cpuSeconds();
  const start = performance.now();
  await tell(count, { lane, rows });
  const isDone = rows
    ? async () => (await producer.runs.get(run.run))?.state === 'complete'
    : async () => (await queue.getJobCountByTypes('waiting', 'active')) === 0;
  while (!(await isDone())) await delay(10);
  const seconds = (performance.now() - start) / 1_000;
  const redisSeconds = (((await cpuSeconds()) - cpu) * 1e6) / images;
  await tell(count, 'close');
  await run.close();
  const bytesStored = ((await usedMemory()) - before) / images;
  return { imagesPerSecond: images / seconds, redisSeconds, bytesWaiting, bytesStored };
}

/** One client that does nothing but store rows, with 64 calls under way. */
async function storeBarely(): Promise<Figures> {
  await redis.flushall();
  const [cpu, start] = [await cpuSeconds(), performance.now()];
  let underWay: Promise<unknown>[] = [];
  const refs = [...imageRefs(imagesMax)];
  for (let from = 0; from < refs.length; from += 64) {
    const call = from / 64;
    const bucket = call % ROW_BUCKETS;
    const rowsOfCall = refs.slice(from, from + 64).map((ref, index) => rowOf(ref, call, index));
    const args = rowsOfCall.flatMap((row) => [row.id, encodeRow(row, 0)]);
    const [rows, counts, numbers] = [keys.rows, keys.counts, keys.fingerprints].map((key) =>
      key('bare', bucket),
    );
    underWay.push(redis.clipfleetPutRows(rows!, counts!, numbers!, fingerprint, 0, ...args));
    if (underWay.length < 64) continue;
    await Promise.all(underWay);
    underWay = [];
  }
  await Promise.all(underWay);
  const seconds = (performance.now() - start) / 1_000;
  return {
    imagesPerSecond: imagesMax / seconds,
    redisSeconds: (((await cpuSeconds()) - cpu) * 1e6) / imagesMax,
  };
}

function rowOf(ref: ImageRef, chunk: number, index: number): Row {
  const base = { ...ref, generation: 0, place: { chunk, index }, at: new Date().toISOString() };
  return { ...base, status: 'classified', predictions: predictionsOf(ref.id), fingerprint };
}

/** Tells the first `count` workers, and waits until all have done it. */
async function tell(count: number, order: Order): Promise<void> {
  await Promise.all(
    workers.slice(0, count).map((worker) => {
      const done = once(worker, 'message');
      worker.send(order);
      return done;
    }),
  );
}

async function infoOf(section: string, field: string): Promise<string> {
  return new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(await redis.info(section))![1]!;
}

async function usedMemory(): Promise<number> {
  return Number(await infoOf('memory', 'used_memory'));
}

async function cpuSeconds(): Promise<number> {
  const [user, system] = await Promise.all(
    ['used_cpu_user', 'used_cpu_sys'].map((field) => infoOf('cpu', field)),
  );
  return Number(user) + Number(system);
}
