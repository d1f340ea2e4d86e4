import { type Job, Worker as LaneWorker, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import PQueue from 'p-queue';
import type { Config } from '../shared/config.ts';
import type { ImageRef } from '../shared/imageRef.ts';
import { keysUnder } from '../shared/keys.ts';
import { laneEventsMax } from '../shared/lanes.ts';
import type { Logger } from '../shared/log.ts';
import type { ResultsStore } from '../shared/resultsStore.ts';
import type { Runs } from '../shared/runs.ts';
import type { WorkReport } from '../shared/servingWorkers.ts';
import { createBatcher } from './batcher.ts';
import { createClassify } from './classify.ts';
import { createConsume } from './consume.ts';
import { decodeImage } from './decode.ts';
import { createFetcher } from './fetch.ts';
import { createLabelMatrices } from './labelMatrices.ts';
import type { LoadedModel } from './loadModel.ts';
import { createScorer } from './scorer.ts';
import type { Settings } from './settings.ts';
import { createStageTimes } from './stageTimes.ts';
import { sweep } from './sweep.ts';

/** The settings a worker reads. */
export const workerOptions = [
  'batchSize',
  'imagesInFlight',
  'decodeThreads',
  'imageBytesMax',
  'imagePixelsMax',
  'fetchTimeoutMs',
  'decodeTimeoutMs',
  'truncated',
  'redirectsMax',
  'allowPrivateAddresses',
  'lockMs',
  'stalledMax',
  'newerGraceMs',
] as const;

/** Those settings, resolved. */
export type WorkerSettings = Config<(typeof workerOptions)[number]> &
  Pick<Settings, 'batchSize' | 'decodeThreads'>;

export interface WorkerContext {
  redis: Redis;
  prefix: string;
  store: ResultsStore;
  runs: Runs;
  model: LoadedModel;
  /** Lanes of the model; an urgent one's images overtake. */
  lanes: readonly { name: string; urgent: boolean }[];
  roots: Map<string, string>;
  /** Read any path, as `clipfleet label` does for the user who typed it. */
  trustPaths: boolean;
  log: Logger;
  /** Told of each batch as it starts. */
  onBatch?: (images: number) => void;
  /** Told of the prompts of each text batch as it starts. */
  onTextBatch?: (prompts: number) => void;
}

export interface RunningWorker {
  /** Rejects when the session or the scoring thread is gone: the process should end, so that another takes the jobs. */
  died: Promise<never>;
  /** What it did since the last call, or since its start. */
  takeReport(): WorkReport;
  /** Takes no new job, finishes those it has, closes. */
  close(): Promise<void>;
}

/** Constructs the line from lane to row, and starts it. */
export function startWorker(context: WorkerContext, config: WorkerSettings): RunningWorker {
  const { redis, prefix, store, runs, model, lanes, log } = context;
  const { preprocessing, session } = model;
  const imagesInFlight = config.imagesInFlight ?? 3 * config.batchSize;
  const { batchSize, decodeThreads, newerGraceMs } = config;
  const times = createStageTimes({ batchSize, decodeThreads, imagesInFlight });
  const fetcher = createFetcher({
    roots: context.roots,
    trustPaths: context.trustPaths,
    bytesMax: config.imageBytesMax,
    timeoutMs: config.fetchTimeoutMs,
    redirectsMax: config.redirectsMax,
    allowPrivateAddresses: config.allowPrivateAddresses,
    userAgent: 'clipfleet',
  });
  const batcher = createBatcher({
    batchSize,
    imageBytes: preprocessing.width * preprocessing.height * 3,
    run: session.embedImages,
    times,
    ...(context.onBatch && { onBatch: context.onBatch }),
  });
  session.onImagesFitting((fitting) => {
    batcher.limitTo(fitting);
    log.warn({ batchSize, fitting }, 'a batch did not fit into memory: lower --batch-size');
  });
  const scorer = createScorer({ scoring: model.scoring });
  const classify = createClassify<ImageRef>({
    fetchImage: (ref) => fetcher.fetchImage(ref),
    decodeImage: (bytes) =>
      decodeImage(bytes, preprocessing, {
        pixelsMax: config.imagePixelsMax,
        timeoutMs: config.decodeTimeoutMs,
        truncated: config.truncated,
        ...model.decoding,
      }),
    embedImage: batcher.embedImage,
    rankImage: scorer.rankImage,
    inFlight: new PQueue({ concurrency: imagesInFlight }),
    decoding: new PQueue({ concurrency: decodeThreads }),
    times,
  });
  const { identity, fingerprint } = model;
  const labelMatrices = createLabelMatrices({
    redis,
    keys: keysUnder(prefix),
    fingerprint,
    embedTexts: (prompts) => session.embedTexts(prompts, context.onTextBatch),
    leaseMs: config.lockMs,
  });
  const consume = createConsume({
    store,
    runs,
    labelMatrices,
    classify,
    model: identity,
    fingerprint,
    newerGraceMs,
    times,
    log,
  });
  const opened = lanes.map((lane) => openLane(lane, { ...context, consume, imagesInFlight }, config));
  const died = Promise.race([session.died, scorer.died]);
  // Whoever wants to know waits for it; here it is not an error that nobody handled.
  died.catch(() => {});
  return {
    died,
    takeReport: times.takeReport,
    async close() {
      await Promise.all(opened.map((lane) => lane.close()));
      await fetcher.close();
      await scorer.close();
    },
  };
}

type LaneContext = Pick<WorkerContext, 'redis' | 'prefix' | 'store' | 'runs' | 'log'> & {
  consume: ReturnType<typeof createConsume>;
  imagesInFlight: number;
};

/**
 * One lane's jobs, and the sweeping of those that BullMQ failed by itself.
 *
 * Concurrency counts jobs, but what must be bounded is images, and a job has 1 to 256 of them. So it follows the size of
 * the jobs seen: enough of them to keep `imagesInFlight` images going, and never more than one job beyond, because what a
 * worker holds at the end of a run, idle workers cannot take.
 */
function openLane(
  { name, urgent }: { name: string; urgent: boolean },
  { redis, prefix, store, runs, log, consume, imagesInFlight }: LaneContext,
  { lockMs, stalledMax }: Config<'lockMs' | 'stalledMax'>,
) {
  const connection = { connection: redis, prefix };
  const queue = new Queue(name, { ...connection, streams: { events: { maxLen: laneEventsMax } } });
  let jobImages = imagesInFlight;
  const process = async (job: Job, token?: string) => {
    jobImages += (imagesIn(job) - jobImages) / 4;
    worker.concurrency = Math.max(2, Math.ceil(imagesInFlight / jobImages));
    await consume(job, token, urgent);
  };
  const worker = new LaneWorker(name, process, {
    ...connection,
    concurrency: 2,
    lockDuration: lockMs,
    stalledInterval: lockMs,
    maxStalledCount: stalledMax,
  });

  let sweeping: Promise<void> = Promise.resolve();
  const sweepAfterwards = () => {
    sweeping = sweeping
      .then(() => sweep(queue, { store, runs, log }))
      .catch((error: Error) => {
        log.error({ err: error, lane: name }, 'sweep failed');
      });
  };
  sweepAfterwards();
  const timer = setInterval(sweepAfterwards, lockMs);

  worker.on('error', (error) => log.error({ err: error, lane: name }, 'lane error'));
  queue.on('error', (error) => log.error({ err: error, lane: name }, 'lane error'));
  worker.on('stalled', (job) => log.warn({ job }, 'job lost its worker'));
  worker.on('failed', (job, error) => {
    log.warn({ job: job?.id, attempt: job?.attemptsMade }, error.message);
    if (job?.finishedOn !== undefined) sweepAfterwards();
  });
  return {
    async close() {
      await worker.close();
      clearInterval(timer);
      await sweeping;
      await queue.close();
    },
  };
}

function imagesIn(job: Job): number {
  const images = (job.data as { images?: unknown } | null)?.images;
  return Array.isArray(images) ? Math.max(1, images.length) : 1;
}
