import type { Redis } from 'ioredis';
import type { Logger } from '../../shared/log/log.ts';
import { hasProxies, proxiesOf } from '../../shared/proxies.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import type { RankedLabel } from '../../shared/rows/prediction.ts';
import type { CountEvent } from '../../shared/telemetry/countedEvents.ts';
import { createFetcher, type FetchRef } from '../fetch/fetch.ts';
import { type GateNames, openHostGate } from '../hosts/hostGate.ts';
import { createPolitely } from '../hosts/politeRequest.ts';
import type { LoadedModel } from '../model/loadModel.ts';
import { openHostNames } from '../names/openHostNames.ts';
import type { ScoredLabels } from '../score/scorer.ts';
import { openVectorCache, type VectorCache } from '../vectorCache/vectorCache.ts';
import type { EmbedHow } from './embeddingOf.ts';
import { openPipeline, type Pipeline } from './pipeline.ts';
import { openPipelineDecoders } from './pipelineDecoders.ts';
import type { GatewaySettings, PipelineSettings } from './pipelineSettings.ts';
import type { OnStage } from './stageTimes.ts';

export interface WorkerPipelineContext {
  redis: Redis;
  keys: Keys;
  model: LoadedModel;
  roots: Map<string, string>;
  trustPaths: boolean;
  log: Logger;
  onBatch?: ((images: number) => void) | undefined;
  onStage?: OnStage | undefined;
  countEvent?: CountEvent | undefined;
}

export interface ClassifiedImage {
  embedding: Float32Array;
  predictions: RankedLabel[];
}

/** The pipeline of a worker: its images are refs, fetched within what the fleet may ask of each host. */
export interface WorkerPipeline
  extends Pick<Pipeline<FetchRef>, 'imagesInFlight' | 'times' | 'died' | 'stop'> {
  /** One image from its ref to its unit embedding and its ranked labels. @throws HostWait where its host makes it wait */
  classify(ref: FetchRef, labels: ScoredLabels | undefined, how: EmbedHow): Promise<ClassifiedImage>;
  /** The labels for an embedding, best first; none where the run has none. */
  rank(embedding: Float32Array, labels: ScoredLabels | undefined): Promise<RankedLabel[]>;
  /** Images that wait for a host's turn and hold nothing. */
  waiting(): number;
  close(): Promise<void>;
}

/** Behind a proxy: it looks names up, and this machine may know none of them. */
const noNames: GateNames = { standing: async () => ({ kind: 'known' }), nearAnswer: () => undefined };

export function openWorkerPipeline(
  context: WorkerPipelineContext,
  config: PipelineSettings & GatewaySettings,
): WorkerPipeline {
  const { redis, keys, model, log, onBatch, onStage, countEvent } = context;
  const names = openHostNames(log);
  const gateNames = hasProxies(proxiesOf(process.env)) ? noNames : names;
  const gate = openHostGate(redis, keys, config, gateNames, log, countEvent);
  const fetcher = createFetcher({
    bytesMax: config.imageBytesMax,
    timeoutMs: config.fetchTimeoutMs,
    redirectsMax: config.redirectsMax,
    allowPrivateAddresses: config.allowPrivateAddresses,
    userAgent: config.userAgent,
    gateway: config.gateway ? { url: config.gateway, key: config.gatewayKey } : undefined,
    politely: createPolitely(gate, config.hostPatienceMs),
    names,
  });
  const { batchSize } = config;
  const { roots, trustPaths } = context;
  const files = { roots, trustPaths, bytesMax: config.imageBytesMax };
  const onEnded = (withImage: boolean) => countEvent?.('decoders_ended', withImage ? 'image' : 'nothing');
  const vectorCache = openCache(context, config);
  const pipeline = openPipeline<FetchRef>(
    model,
    {
      fetchImage: fetcher.fetchImage,
      vectorCache,
      openDecoders: (onBegin) =>
        openPipelineDecoders(model, { files, onBegin, onEnded, vectorCache: vectorCache?.place }, config),
    },
    config,
    {
      onBatch,
      onStage,
      countEvent,
      onImagesFitting: (fitting) =>
        log.warn({ batchSize, fitting }, 'a batch did not fit into memory: lower --batch-size'),
    },
  );
  const rank = async (embedding: Float32Array, labels: ScoredLabels | undefined) =>
    labels ? await pipeline.rank(embedding, labels) : [];
  const { embeddingOf, imagesInFlight, times, died, stop } = pipeline;
  return {
    async classify(ref, labels, how) {
      const embedding = await gate.waitingInPlace(() => embeddingOf(ref, how), how.signal);
      return { embedding, predictions: await rank(embedding, labels) };
    },
    rank,
    imagesInFlight,
    times,
    died,
    stop,
    waiting: () => Math.min(gate.waiting(), imagesInFlight),
    async close() {
      await fetcher.close();
      await pipeline.close();
      await gate.close();
      names.close();
    },
  };
}

/** The cache that outlives the worker, where one was asked for. What a file's vector depends on is the model, and what is done with half files. */
function openCache(
  { model, log, countEvent }: WorkerPipelineContext,
  { embeddingCacheDir, embeddingCacheDirBytes, truncated }: PipelineSettings,
): VectorCache | undefined {
  if (embeddingCacheDir === undefined) return undefined;
  return openVectorCache({
    folder: embeddingCacheDir,
    bytesMax: embeddingCacheDirBytes,
    madeBy: [model.fingerprint, truncated],
    onFailed: (error) => log.warn({ err: error, folder: embeddingCacheDir }, 'an embedding was not cached'),
    countEvent,
  });
}
