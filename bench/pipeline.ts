import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { defineBench, table } from './bench.ts';
import { writeCheapModel } from './cheapModel.ts';
import { baseModel, batchSize, count, device, dtype, names, rounds, threads } from './commonArguments.ts';
import { type Jpegs, makeJpegs } from './jpegs.ts';
import { measureModel, type Round } from './pipelineRounds.ts';
import { format, spreadOf } from './spread.ts';
import { startQueue } from './workers.ts';

const sizes = [
  { width: 500, height: 375 },
  { width: 2000, height: 1500 },
];

const says = `From JPEG files to rows: the \`clipfleet worker\` process with its Redis server and results store, 10 labels. The run is
enqueued before the clock starts; the clock is Redis', from the moment the lane is resumed to the last job's completion, over
all images; the files come several times where the run would be shorter than five seconds. *both* is what decode and session allow together on these cores: their number ÷ (core time of one decode + core
time of one image in the session), each measured alone in the same round; on a GPU at most the session's rate. *sharp* is
sharp's own way to the same size on all cores, as its users write it, with JPEG's shrink-on-load; *sharp, whole* without, as
parity asks. \`cheap\` is a model that costs next to nothing. Images/s, median of the rounds (smallest to largest); ratios are
taken within a round.`;

export const pipeline = defineBench({
  title: 'The whole worker, against the ceilings of the same rounds',
  says,
  arguments: {
    models: names(`${baseModel},models/demo,cheap`, 'Model directories; `cheap` is written by the bench.'),
    images: count('512', 'JPEG files of each size.'),
    batch: batchSize,
    threads,
    device,
    dtype,
    rounds,
  },
  packages: ['onnxruntime-node', 'sharp', 'bullmq', 'redis-server'],
  async run({ models, images, ...choice }, bed) {
    const folder = join(bed.folder, 'images');
    const jpegs: Jpegs[] = [];
    for (const size of sizes) {
      bed.say(`making ${images} JPEGs of ${size.width} × ${size.height}`);
      jpegs.push(await makeJpegs(join(folder, String(size.width)), { count: images, ...size }));
    }
    const queue = await startQueue(bed);
    const cheap = await writeCheapModel(join(bed.folder, 'cheap'));
    const rates: string[][] = [];
    const costs: string[][] = [];
    for (const name of models) {
      const model = name === 'cheap' ? cheap : name;
      if (!existsSync(model)) continue;
      for (const { about, measured } of await measureModel(bed, queue, { ...choice, model, folder }, jpegs)) {
        rates.push([...about, ...rateCells(measured)]);
        costs.push([...about, ...costCells(measured)]);
      }
    }
    const { rounds, batch, threads, dtype, device } = choice;
    const how = `${images} files of each size, ${rounds} rounds, batches of ${batch}, ${threads} threads, ${dtype} on ${device}.`;
    const missing = models.filter((name) => name !== 'cheap' && !existsSync(name));
    return [
      table(
        [...about, 'worker', 'both', 'worker ÷ both', 'sharp', '÷ sharp', 'sharp, whole', '÷ sharp, whole'],
        rates,
      ),
      how,
      'The parts: decode and session alone, images/s; then what an image takes of a core, in milliseconds. *rest* is the worker’s without decode and session: files, jobs, scores, rows.',
      table(
        [
          ...about,
          'decode',
          'session',
          'decode, ms',
          'session, ms',
          'worker, ms',
          'rest, ms',
          'Redis, ms',
          'batch fill',
        ],
        costs,
      ),
      ...missing.map((model) => `Absent: ${model}.`),
    ].join('\n\n');
  },
});

const about = ['model', 'JPEG'];

function rateCells(measured: readonly Round[]): string[] {
  const column = (of: (round: Round) => number, digits = 1) => format(spreadOf(measured.map(of)), digits);
  return [
    column(({ worker }) => worker.rate),
    column(({ both }) => both),
    column(({ worker, both }) => worker.rate / both, 2),
    column(({ sharp }) => sharp.rate),
    column(({ worker, sharp }) => worker.rate / sharp.rate, 2),
    column(({ sharpWhole }) => sharpWhole.rate),
    column(({ worker, sharpWhole }) => worker.rate / sharpWhole.rate, 2),
  ];
}

function costCells(measured: readonly Round[]): string[] {
  const column = (of: (round: Round) => number, digits = 1) => format(spreadOf(measured.map(of)), digits);
  return [
    column(({ decode }) => decode.rate),
    column(({ session }) => session.rate),
    column(({ decode }) => decode.coreMs, 2),
    column(({ session }) => session.coreMs, 2),
    column(({ worker }) => worker.workerMs, 2),
    column(({ worker, decode, session }) => worker.workerMs - decode.coreMs - session.coreMs, 2),
    column(({ worker }) => worker.redisMs, 2),
    column(({ fill }) => fill, 2),
  ];
}
