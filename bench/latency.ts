import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type OpenedModel, openModel } from '../src/classifier.ts';
import type { Producer } from '../src/producer/producer.ts';
import { defineLabelSet } from '../src/shared/labels/labelSet.ts';
import { defineBench, type TestBed, table } from './bench.ts';
import { baseModel, count, names, threads } from './commonArguments.ts';
import { type Queue, startQueue, startWorkerProcess } from './workers.ts';

const WARM_UP = 5;
const pictures = fileURLToPath(new URL('../../examples/pictures', import.meta.url));
const picture = 'owl.jpg';
const labelSet = defineLabelSet({ labels: ['fox', 'bear', 'seagull', 'owl'] });

const says = `One image on an idle \`clipfleet worker\` process, in milliseconds: from opening its run, in the interactive lane, to having its row,
as a service does it. Beside it what the model alone needs for the same image in this process: reading the file, decoding, session.
Both take turns, image by image. *more* is the way through the queue less the model alone, taken for each image.`;

export const latency = defineBench({
  title: 'One image, from enqueue to row',
  says,
  arguments: {
    models: names(`${baseModel},models/demo`, 'Model directories.'),
    images: count('200', `Images, one at a time; ${WARM_UP} more before them warm up.`),
    threads,
  },
  packages: ['onnxruntime-node', 'bullmq', 'sharp', 'redis-server'],
  async run({ models, images, threads }, bed) {
    const queue = await startQueue(bed);
    const lines: string[][] = [];
    for (const model of models.filter((model) => existsSync(model))) {
      bed.say(basename(model));
      const measured = await measure(bed, queue, { model, images, threads });
      const cells = (of: (times: Times) => number) =>
        [50, 90].map((percent) => percentile(percent, measured.map(of)));
      lines.push([
        basename(model),
        ...[...cells(({ alone }) => alone), ...cells(({ whole }) => whole)].map((ms) => ms.toFixed(1)),
        ...cells(({ alone, whole }) => whole - alone).map((ms) => ms.toFixed(1)),
      ]);
    }
    const header = ['model alone, p50', 'p90', 'enqueue to row, p50', 'p90', 'more, p50', 'p90'];
    const absent = models.filter((model) => !existsSync(model)).map((model) => `Absent: ${model}.`);
    const how = `${images} images, ${threads} threads.`;
    return [table(['model', ...header], lines), how, ...absent].join('\n\n');
  },
});

/** Milliseconds of an image. */
interface Times {
  alone: number;
  whole: number;
}

interface Choice {
  model: string;
  images: number;
  threads: number;
}

async function measure(bed: TestBed, queue: Queue, { model, images, threads }: Choice): Promise<Times[]> {
  const scale = { logitScale: 100, logitBias: 0 };
  const opened = await openModel({ model, device: 'cpu', threads, ...scale });
  const worker = await startWorkerProcess(bed, queue, [
    ...['--model', model, '--device', 'cpu', '--threads', String(threads), '--root', pictures],
    ...['--logit-scale', '100', '--logit-bias', '0'],
  ]);
  const measured: Times[] = [];
  for (let i = 0; i < WARM_UP + images; i++) {
    const alone = await msOf(() => embed(opened));
    const whole = await msOf(() => label(queue.producer, worker.model));
    if (i >= WARM_UP) measured.push({ alone, whole });
  }
  await worker.stop();
  await opened.close();
  return measured;
}

async function embed(model: OpenedModel): Promise<void> {
  await model.embedImages([await model.processImage(await readFile(join(pictures, picture)))]);
}

/** What a service does for one image. */
async function label(producer: Producer, model: string): Promise<void> {
  const run = await producer.openRun({ model, labelSet, lane: 'interactive' });
  await run.add([{ id: 'owl', uri: picture }]);
  await run.seal();
  await producer.waitFor(run.run);
  for await (const row of producer.rows(run.run))
    if (row.status === 'failed') throw new Error(row.error.message);
  await run.close();
}

async function msOf(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function percentile(percent: number, values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length * percent) / 100)]!;
}
