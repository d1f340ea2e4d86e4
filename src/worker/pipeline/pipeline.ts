import type { Redis } from 'ioredis';
import PQueue from 'p-queue';
import type { Logger } from '../../shared/log.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import type { ImageRef } from '../../shared/refs/imageRef.ts';
import { decodeImage } from '../decode/decode.ts';
import { createFetcher } from '../fetch/fetch.ts';
import { openHostGate } from '../hosts/hostGate.ts';
import { createPolitely } from '../hosts/politeRequest.ts';
import type { LoadedModel } from '../model/loadModel.ts';
import { createScorer } from '../score/scorer.ts';
import { createBatcher } from './batcher.ts';
import { type Classify, createClassify } from './classify.ts';
import { createEmbedOnce } from './embedOnce.ts';
import type { PipelineSettings } from './pipelineSettings.ts';
import { createStageTimes, type StageTimes } from './stageTimes.ts';

export interface ImageLineContext {
  redis: Redis;
  keys: Keys;
  model: LoadedModel;
  roots: Map<string, string>;
  trustPaths: boolean;
  log: Logger;
  onBatch?: (images: number) => void;
}

/** What one image goes through, from its ref to its ranked labels, constructed. */
export interface ImageLine {
  classify: Classify<ImageRef>;
  /** Most images in it at once. */
  imagesInFlight: number;
  times: StageTimes;
  /** Images that wait for a host's turn and hold nothing. */
  waiting: () => number;
  /** Rejects when one of its threads is gone. */
  died: Promise<never>;
  close(): Promise<void>;
}

export function openImageLine(context: ImageLineContext, config: PipelineSettings): ImageLine {
  const { redis, keys, model, log } = context;
  const { preprocessing, session } = model;
  const { batchSize, decodeThreads } = config;
  const imagesInFlight = config.imagesInFlight ?? 3 * batchSize;
  const times = createStageTimes({ batchSize, decodeThreads, imagesInFlight });
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
  const scorer = createScorer({ scoring: model.scoring, answerMaxMs: config.inferenceTimeoutMs });
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
    ...(config.embeddingCache > 0 && { embedOnce: createEmbedOnce(config.embeddingCache) }),
    rankImage: scorer.rankImage,
    inFlight: new PQueue({ concurrency: imagesInFlight }),
    decoding: new PQueue({ concurrency: decodeThreads }),
    times,
  });
  const died = Promise.race([session.died, scorer.died]);
  // Whoever wants to know waits for it; here it is not an error that nobody handled.
  died.catch(() => {});
  return {
    classify: (ref, labels, urgent, signal) =>
      gate.waitingInPlace(() => classify(ref, labels, urgent, signal), signal),
    imagesInFlight,
    times,
    waiting: () => Math.min(gate.waiting(), imagesInFlight),
    died,
    async close() {
      await fetcher.close();
      await scorer.close();
      await gate.close();
    },
  };
}
