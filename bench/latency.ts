// How long one image takes on an idle worker, from opening its run to having its row, beside what the model alone needs for it
// (reading, decoding, session):
//   node dist/bench/latency.js [DIR...]
// Producer, worker and a real Redis on one machine; both ways take turns.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openModel } from '../src/classifier.ts';
import { createProducer } from '../src/producer/producer.ts';
import { readConfig } from '../src/shared/config.ts';
import { defineLabelSet } from '../src/shared/labelSet.ts';
import { laneName } from '../src/shared/lanes.ts';
import { leaseLocalRedis } from '../src/shared/localRedis.ts';
import { createLog } from '../src/shared/log.ts';
import { connectRedis } from '../src/shared/redis.ts';
import { startWorker, workerOptions } from '../src/worker/worker.ts';
import { describeMachine } from './machine.ts';

const IMAGES = 40;
const WARM_UP = 5;
const picture = fileURLToPath(new URL('../../examples/pictures/owl.jpg', import.meta.url));
const labelSet = defineLabelSet({ labels: ['fox', 'bear', 'seagull', 'owl'] });
const directories = process.argv.length > 2 ? process.argv.slice(2) : ['models/demo'];

const folder = await mkdtemp(join(tmpdir(), 'clipfleet-bench-'));
const lease = await leaseLocalRedis({ dataDir: folder });
const redis = await connectRedis({ socket: lease.socket });
const producer = createProducer({ redis });

console.log('| model | model alone, ms, p50 | p90 | enqueue to row, ms, p50 | p90 | difference of the p50 |');
console.log('|---|---|---|---|---|---|');
for (const directory of directories) {
  const [alone, whole] = await measure(directory);
  const cells = [p(50, alone), p(90, alone), p(50, whole), p(90, whole), p(50, whole) - p(50, alone)];
  console.log(`| ${basename(directory)} | ${cells.map((ms) => ms.toFixed(1)).join(' | ')} |`);
}
const machine = describeMachine(['onnxruntime-node', 'bullmq', 'sharp']);
console.log(`\n${IMAGES} images, one at a time. ${machine}.`);

redis.disconnect();
await lease.release();
await rm(folder, { recursive: true, force: true });

async function measure(directory: string): Promise<[number[], number[]]> {
  const model = await openModel({ model: directory, logitScale: 100, logitBias: 0 });
  const lanes = [{ name: laneName('interactive', model.identity), urgent: true }];
  const { store, runs } = producer;
  const about = { redis, prefix: 'clipfleet', log: createLog('error'), model, store, runs, lanes };
  const config = { ...readConfig(workerOptions, {}, {}), ...model.settings };
  const worker = startWorker({ ...about, roots: new Map(), trustPaths: true }, config);
  const alone: number[] = [];
  const whole: number[] = [];
  for (let i = 0; i < WARM_UP + IMAGES; i++) {
    const times = [
      await msOf(async () => {
        await model.embedImages([await model.processImage(await readFile(picture))]);
      }),
      await msOf(() => label(model.identity)),
    ] as const;
    if (i < WARM_UP) continue;
    alone.push(times[0]);
    whole.push(times[1]);
  }
  await worker.close();
  await model.close();
  return [alone, whole];
}

/** What a service does for one image. */
async function label(model: string): Promise<void> {
  const run = await producer.openRun({ model, labelSet, lane: 'interactive' });
  await run.add([{ id: 'owl', uri: picture }]);
  await run.seal();
  await producer.waitFor(run.run);
  for await (const row of producer.rows(run.run))
    if (row.status === 'failed') throw new Error(row.error.message);
  await run.close();
}

async function msOf(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

function p(percent: number, values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length * percent) / 100)]!;
}
