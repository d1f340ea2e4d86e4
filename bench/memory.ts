import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { defineLabelSet } from '../src/shared/labels/labelSet.ts';
import { text } from '../src/shared/options/option.ts';
import { argument, defineBench, table } from './bench.ts';
import { count } from './commonArguments.ts';
import { makeSmallPictures } from './smallPictures.ts';
import { type Queue, startQueue, startWorkerProcess, type WorkerProcess } from './workers.ts';

const jemalloc = '/usr/lib/x86_64-linux-gnu/libjemalloc.so.2';
const allocators: Record<string, Record<string, string>> = {
  glibc: {},
  'glibc, MALLOC_ARENA_MAX=2': { MALLOC_ARENA_MAX: '2' },
  ...(existsSync(jemalloc) && { jemalloc: { LD_PRELOAD: jemalloc } }),
};

const TENTHS = 10;
const SAMPLE_MS = 100;
/** A tenth's figure is the mean of its last samples: a single one may lie before or after a garbage collection. */
const SAMPLES_KEPT = 10;

const labelSet = defineLabelSet({ labels: ['fox', 'bear', 'owl', 'cat', 'dog'] });

export const memory = defineBench({
  title: 'A worker’s memory over a long run',
  says: `Resident memory of one \`clipfleet worker\` process in MiB, at the end of each tenth of the images (mean of the last ${SAMPLES_KEPT}
samples of the tenth, ${SAMPLE_MS} ms apart). *growth* is that of the largest later tenth over the first. The images are small JPEG and
PNG files, read again and again under other ids.`,
  arguments: {
    images: count('100000', 'Images through each worker.'),
    files: count('300', 'Different files they are.'),
    model: argument({ schema: text, default: 'models/demo', says: 'Model directory.' }),
  },
  packages: ['onnxruntime-node', 'sharp', 'bullmq', 'redis-server'],
  async run({ images, files, model }, bed) {
    const folder = join(bed.folder, 'images');
    const names = await makeSmallPictures(folder, files);
    const queue = await startQueue(bed);
    const lines: string[][] = [];
    const flags = ['--model', model, '--root', folder];
    for (const [name, env] of Object.entries(allocators)) {
      const worker = await startWorkerProcess(bed, queue, flags, env);
      const tenths = await watchRun(queue, worker, names, images, (line) => bed.say(`${name}: ${line}`));
      await worker.stop();
      // The rows of one run must not be what the next one's Redis is slow with.
      await queue.redis.flushall();
      const growth = Math.max(...tenths.slice(1)) / tenths[0]! - 1;
      lines.push([name, ...tenths.map((mib) => mib.toFixed(0)), `${(growth * 100).toFixed(1)} %`]);
    }
    const header = ['allocator', ...Array.from({ length: TENTHS }, (_, i) => `${i + 1}`), 'growth'];
    const how = `${images} images, ${files} different files, ${basename(model)}.`;
    const missing = 'jemalloc' in allocators ? [] : [`Absent: jemalloc (${jemalloc}).`];
    return [table(header, lines), how, ...missing].join('\n\n');
  },
});

/** Resident memory at the end of each tenth of a run. */
async function watchRun(
  { producer }: Queue,
  worker: WorkerProcess,
  files: readonly string[],
  images: number,
  say: (line: string) => void,
): Promise<number[]> {
  const run = await producer.openRun({ model: worker.model, labelSet });
  const refs = function* () {
    for (let i = 0; i < images; i++) yield { id: String(i), uri: files[i % files.length]! };
  };
  const adding = run.add(refs(), { chunkSize: 64, highWater: 10_000 }).then(() => run.seal());
  const samples = Array.from({ length: TENTHS }, (): number[] => []);
  for (;;) {
    const { done, failed, complete } = await producer.progress(run.run);
    if (failed > 0) throw new Error(`${failed} images failed in run ${run.run}.`);
    const tenth = Math.min(TENTHS - 1, Math.floor((done * TENTHS) / images));
    if (samples[tenth]!.length === 0) say(`tenth ${tenth + 1}`);
    if (complete) break;
    samples[tenth]!.push(await worker.residentMiB());
    await delay(SAMPLE_MS);
  }
  await adding;
  await run.close();
  return samples.map((ofTenth) => {
    const last = ofTenth.slice(-SAMPLES_KEPT);
    return last.reduce((sum, mib) => sum + mib, 0) / last.length;
  });
}
