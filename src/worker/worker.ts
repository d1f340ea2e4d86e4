import type { Redis } from 'ioredis';
import PQueue from 'p-queue';
import type { Config } from '../shared/config.ts';
import type { ImageRef } from '../shared/imageRef.ts';
import { keysUnder } from '../shared/keys.ts';
import type { Logger } from '../shared/log.ts';
import type { ResultsStore } from '../shared/resultsStore.ts';
import type { Runs } from '../shared/runs.ts';
import { createBatcher } from './batcher.ts';
import { createClassify } from './classify.ts';
import { createConsume } from './consume.ts';
import { decodeImage } from './decode.ts';
import { createFetcher } from './fetch.ts';
import { hostOptions, openHostGate } from './hostGate.ts';
import { createLabelMatrices } from './labelMatrices.ts';
import { openLane } from './lane.ts';
import type { LoadedModel } from './loadModel.ts';
import { createPolitely } from './politeRequest.ts';

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
}

export interface RunningWorker {
  /** Rejects when the session is gone: the process should end, so that another takes the jobs. */
  died: Promise<never>;
  /** Takes no new job, finishes those it has, closes. */
  close(): Promise<void>;
}

/** Constructs the line from lane to row, and starts it. */
export function startWorker(
  context: WorkerContext,
  config: Config<(typeof workerOptions)[number]>,
): RunningWorker {
  const { redis, prefix, store, runs, model, lanes, log } = context;
  const { preprocessing, session } = model;
  const imagesInFlight = config.imagesInFlight ?? 3 * config.batchSize;
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
    batchSize: config.batchSize,
    imageBytes: preprocessing.width * preprocessing.height * 3,
    run: session.embedImages,
    ...(context.onBatch && { onBatch: context.onBatch }),
  });
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
    scoring: model.scoring,
    inFlight: new PQueue({ concurrency: imagesInFlight }),
    decoding: new PQueue({ concurrency: config.decodeThreads }),
  });
  const { identity, fingerprint } = model;
  const labelMatrices = createLabelMatrices({
    redis,
    keys,
    fingerprint,
    embedTexts: session.embedTexts,
  });
  const { newerGraceMs, hostPatienceMs } = config;
  const consume = createConsume({
    store,
    runs,
    labelMatrices,
    classify: (...image) => gate.waitingInPlace(() => classify(...image)),
    model: identity,
    fingerprint,
    newerGraceMs,
    hostPatienceMs,
    log,
  });
  const waiting = () => Math.min(gate.waiting(), imagesInFlight);
  const opened = lanes.map((lane) =>
    openLane(lane, { ...context, consume, imagesInFlight, waiting }, config),
  );
  return {
    died: session.died,
    async close() {
      await Promise.all(opened.map((lane) => lane.close()));
      await fetcher.close();
      await gate.close();
    },
  };
}
