import { z } from 'zod';
import { integer } from '../src/shared/options/option.ts';
import { CALL_ROWS, CALLS_UNDER_WAY, storeBarely } from './bareClient.ts';
import { argument, defineBench, table } from './bench.ts';
import { count, counts } from './commonArguments.ts';
import { measureBytes } from './fleetBytes.ts';
import { type Fleet, startFleet } from './fleetProcesses.ts';
import { imageRefs, labelSet, model } from './fleetScene.ts';
import { enqueuePaused } from './pausedRun.ts';
import { format, spreadOf } from './spread.ts';
import { type Queue, startQueue } from './workers.ts';

/** A job takes a certain time whatever it carries: a run of small ones has no more than these. */
const JOBS_MAX = 5_000;
/** Odd. Once is a fraction of a second. */
const BARE_TIMES = 3;

const says = `What one Redis, which keeps its append-only log, carries where the session takes no time: real jobs through BullMQ to worker
processes with a worker's own lane and its own way from a job to rows of five predictions. *popped* is BullMQ alone: jobs are taken
and completed, and nothing is stored. The run is enqueued and every process waits before the clock starts; the clock is Redis', from
the moment the lane is resumed to the last job's completion. *Redis* is the share of one core that its server used meanwhile.

*bare* is a client that does nothing but store the same rows with the same script, from one process of Node over one connection: calls of
${CALL_ROWS} rows of one bucket, ${CALLS_UNDER_WAY} under way at any time; predictions are ready before the clock starts, rows are encoded while it runs.
Before each number of processes in each round it stores all rows of a run ${BARE_TIMES} times, of which the median counts, and ratios are taken to
that. Median of the rounds (smallest to largest). In the second table ids have 9 characters, and uris of their own 22.`;

export const fleet = defineBench({
  title: 'A fleet whose sessions take no time',
  says,
  arguments: {
    jobs: counts('1,32,64,256', 'Images a job carries.'),
    processes: counts('1,2,4,16', 'Worker processes.'),
    images: count('100000', `Images of a run; of small jobs no more than ${JOBS_MAX}.`, 999_999),
    rounds: argument({
      schema: integer(3, 99).pipe(z.number().refine((n) => n % 2 === 1, 'Expected an odd number')),
      default: '3',
      says: 'Rounds that count, an odd number, so that a median is one of them; one more before them warms up.',
    }),
  },
  packages: ['bullmq', 'ioredis', 'redis-server'],
  async run({ jobs, processes, images, rounds }, bed) {
    const queue = await startQueue(bed);
    const fleet = await startFleet(bed, queue, Math.max(...processes));
    const lines = processes.flatMap((size) =>
      jobs.map((chunkSize) => ({ size, chunkSize, measured: [] as Round[] })),
    );
    for (let round = 0; round <= rounds; round++) {
      // The first round warms up, for which a part is enough.
      const imagesMax = round === 0 ? Math.ceil(images / 4) : images;
      for (const size of processes) {
        bed.say(`round ${round} of ${rounds}, ${size} processes`);
        const bare = await rateOfBare(queue, imagesMax);
        for (const { chunkSize, measured } of lines.filter((line) => line.size === size)) {
          const scene = { size, chunkSize, images: Math.min(imagesMax, JOBS_MAX * chunkSize) };
          const popped = await timeFleet(queue, fleet, { ...scene, rows: false });
          const stored = await timeFleet(queue, fleet, { ...scene, rows: true });
          if (round > 0) measured.push({ bare, popped, stored });
        }
      }
    }
    bed.say('bytes');
    return [rates(lines), `${rounds} rounds.`, await measureBytes(queue, fleet, jobs)].join('\n\n');
  },
});

interface Figures {
  /** Images a second. */
  rate: number;
  /** Of one core. */
  redisShare: number;
}

interface Round {
  /** Rows a second of the bare client. */
  bare: number;
  popped: Figures;
  stored: Figures;
}

async function rateOfBare(queue: Queue, images: number): Promise<number> {
  const rates: number[] = [];
  for (let i = 0; i < BARE_TIMES; i++) rates.push(await storeBarely(queue, images));
  return spreadOf(rates).median;
}

interface Scene {
  size: number;
  chunkSize: number;
  images: number;
  rows: boolean;
}

async function timeFleet(
  queue: Queue,
  fleet: Fleet,
  { size, chunkSize, images, rows }: Scene,
): Promise<Figures> {
  await queue.redis.flushall();
  const paused = await enqueuePaused(queue, { model, labelSet }, imageRefs(images), chunkSize);
  await fleet.open(size, paused.lane, rows);
  const { ms, redisSeconds } = await paused.time();
  await fleet.close(size);
  await paused.close();
  const { done, failed, complete } = await queue.producer.progress(paused.run);
  if (rows && !(complete && failed === 0 && done === images))
    throw new Error(`Expected ${images} rows of a complete run, got ${done}, of which ${failed} failed.`);
  return { rate: (images * 1000) / ms, redisShare: (redisSeconds * 1000) / ms };
}

function rates(lines: readonly { size: number; chunkSize: number; measured: readonly Round[] }[]): string {
  const header = [
    'processes',
    'images a job',
    'popped, images/s',
    'Redis',
    'with rows, images/s',
    'Redis',
    '÷ bare',
  ];
  const rows = lines.map(({ size, chunkSize, measured }) => {
    const column = (of: (round: Round) => number, digits: number) =>
      format(spreadOf(measured.map(of)), digits);
    return [
      `${size}`,
      `${chunkSize}`,
      column(({ popped }) => popped.rate, 0),
      column(({ popped }) => popped.redisShare, 2),
      column(({ stored }) => stored.rate, 0),
      column(({ stored }) => stored.redisShare, 2),
      column(({ stored, bare }) => stored.rate / bare, 2),
    ];
  });
  const bare = new Set(lines.flatMap(({ measured }) => measured.map(({ bare }) => bare)));
  return [table(header, rows), `*bare*: ${format(spreadOf([...bare]), 0)} rows/s.`].join('\n\n');
}
