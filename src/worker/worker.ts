import type { Redis } from 'ioredis';
import PQueue from 'p-queue';
import type { Config } from '../shared/config.ts';
import type { ImageRef } from '../shared/imageRef.ts';
import { keysUnder } from '../shared/keys.ts';
import type { Logger } from '../shared/log.ts';
import type { ResultsStore } from '../shared/resultsStore.ts';
import { createRunControl } from '../shared/runControl.ts';
import type { Runs } from '../shared/runs.ts';
import type { WorkReport } from '../shared/servingWorkers.ts';
import { createBatcher } from './batcher.ts';
import { createClassify } from './classify.ts';
import { createConsume } from './consume.ts';
import { decodeImage } from './decode.ts';
import { createFailureBudget } from './failureBudget.ts';
import { createFetcher } from './fetch.ts';
import { hostOptions, openHostGate } from './hostGate.ts';
import { createLabelMatrices } from './labelMatrices.ts';
import { openLane } from './lane.ts';
import type { LoadedModel } from './loadModel.ts';
import { createPolitely } from './politeRequest.ts';
import { createScorer } from './scorer.ts';
import type { Settings } from './settings.ts';
import { createLaneShare } from './shareLane.ts';
import { createStageTimes } from './stageTimes.ts';
import { createWorkInHand } from './workInHand.ts';

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
  'userAgent',
  ...hostOptions,
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
  const { batchSize, decodeThreads, newerGraceMs, hostPatienceMs } = config;
  const times = createStageTimes({ batchSize, decodeThreads, imagesInFlight });
  const keys = keysUnder(prefix);
  const gate = openHostGate(redis, keys, config, log);
  const fetcher = createFetcher({
    roots: context.roots,
    trustPaths: context.trustPaths,
    bytesMax: config.imageBytesMax,
    timeoutMs: config.fetchTimeoutMs,
    redirectsMax: config.redirectsMax,
    allowPrivateAddresses: config.allowPrivateAddresses,
    userAgent: config.userAgent,
    politely: createPolitely(gate, config.hostPatienceMs),
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
    keys,
    fingerprint,
    embedTexts: (prompts) => session.embedTexts(prompts, context.onTextBatch),
    leaseMs: config.lockMs,
  });
  const control = createRunControl(redis, keys);
  const share = createLaneShare(redis, keys);
  const consume = createConsume({
    store,
    runs,
    workInHand: createWorkInHand({
      control,
      isShareWanted: share.isWanted,
      onError: (error) => log.error({ err: error }, 'looking after the work in hand'),
    }),
    checkFailures: createFailureBudget({ runs, store, control, log }),
    batchSize,
    labelMatrices,
    classify: (ref, labels, urgent, signal) =>
      gate.waitingInPlace(() => classify(ref, labels, urgent, signal), signal),
    model: identity,
    fingerprint,
    newerGraceMs,
    times,
    hostPatienceMs,
    log,
  });
  const waiting = () => Math.min(gate.waiting(), imagesInFlight);
  const opened = lanes.map((lane) =>
    openLane(lane, { ...context, consume, share, imagesInFlight, waiting }, config),
  );
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
      await gate.close();
    },
  };
}
