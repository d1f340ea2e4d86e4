import PQueue from 'p-queue';
import { defaultOf } from '../../shared/options/config.ts';
import type { ImageSource } from '../../shared/refs/imageSource.ts';
import type { RankedLabel } from '../../shared/rows/prediction.ts';
import type { CountEvent } from '../../shared/telemetry/countedEvents.ts';
import type { Decoders } from '../decoders/decoders.ts';
import type { LoadedModel } from '../model/loadModel.ts';
import { imageBytesOf } from '../resize/resample.ts';
import { createScorer, type ScoredLabels } from '../score/scorer.ts';
import type { VectorCache } from '../vectorCache/vectorCache.ts';
import { createBatcher } from './batcher.ts';
import { createEmbeddingOf, type EmbeddingOf } from './embeddingOf.ts';
import { createEmbedOnce } from './embedOnce.ts';
import type { PipelineSettings } from './pipelineSettings.ts';
import { createStageTimes, type OnStage, type StageTimes } from './stageTimes.ts';

/** Where a pipeline's images come from, and what makes pixels of them. */
export interface PipelineInput<Ref> {
  /** The bytes of one image, or which local file has them; rejects with the signal's reason once that is aborted. */
  fetchImage(ref: Ref, signal: AbortSignal): ImageSource | Promise<ImageSource>;
  /**
   * Opens the decoders, which the pipeline closes.
   *
   * @param onBegin to be called when an image begins to be decoded; what it returns, when that is done
   */
  openDecoders(onBegin: () => () => void): Decoders;
  /** Where its decoders look embeddings up. The pipeline closes it. */
  vectorCache?: VectorCache | undefined;
}

export type PipelineLimits = Pick<PipelineSettings, 'batchSize' | 'decoders'> &
  Partial<Pick<PipelineSettings, 'imagesInFlight' | 'embeddingCache' | 'inferenceTimeoutMs'>>;

/** What a pipeline tells while it works. */
export interface PipelineListener {
  /** The images of each batch as it starts. */
  onBatch?: ((images: number) => void) | undefined;
  onStage?: OnStage | undefined;
  countEvent?: CountEvent | undefined;
  /** A batch did not fit into memory; so many images do. */
  onImagesFitting?: (images: number) => void;
}

/** What images go through, in two steps: whoever has an image's embedding starts with the second. */
export interface Pipeline<Ref> {
  /** The unit embedding of one image. */
  embeddingOf: EmbeddingOf<Ref>;
  /** The labels for an embedding, best first. */
  rank(embedding: Float32Array, labels: ScoredLabels): Promise<RankedLabel[]>;
  /** Most images between ref and embedding at once. */
  imagesInFlight: number;
  times: StageTimes;
  /** Rejects when a thread is gone; fetches end with the same error then. */
  died: Promise<never>;
  /** Ends what is being fetched with this error, and whatever comes to be fetched. */
  stop(reason: Error): void;
  /** Ends its thread and its decoders; the model's session is its owner's to close. */
  close(): Promise<void>;
}

/** The one way from images to ranked labels, for worker, library, `tune` and `verify`. */
export function openPipeline<Ref>(
  { session, preprocessing, scoring }: Pick<LoadedModel, 'session' | 'preprocessing' | 'scoring'>,
  input: PipelineInput<Ref>,
  {
    batchSize,
    decoders,
    imagesInFlight = 3 * batchSize,
    embeddingCache = defaultOf('embeddingCache'),
    inferenceTimeoutMs,
  }: PipelineLimits,
  { onBatch, onStage, countEvent, onImagesFitting }: PipelineListener = {},
): Pipeline<Ref> {
  const times = createStageTimes({ batchSize, decoders, imagesInFlight }, undefined, undefined, onStage);
  const stopping = new AbortController();
  const batcher = createBatcher({
    batchSize,
    imageBytes: imageBytesOf(preprocessing),
    run: session.embedImages,
    times,
    ...(onBatch && { onBatch }),
  });
  session.onImagesFitting((fitting) => {
    batcher.limitTo(fitting);
    onImagesFitting?.(fitting);
  });
  const scorer = createScorer({ scoring, answerMaxMs: inferenceTimeoutMs });
  const decoding = input.openDecoders(() => {
    const begunAt = times.begin('decode');
    return () => times.end('decode', begunAt);
  });
  const embeddingOf = createEmbeddingOf<Ref>({
    fetchImage: (ref) => {
      stopping.signal.throwIfAborted();
      return input.fetchImage(ref, stopping.signal);
    },
    decodeImage: decoding.decode,
    embedImage: batcher.embedImage,
    ...(embeddingCache > 0 && { embedOnce: createEmbedOnce(embeddingCache, countEvent) }),
    vectorCache: input.vectorCache,
    inFlight: new PQueue({ concurrency: imagesInFlight }),
    times,
  });
  const died = Promise.race([session.died, scorer.died, decoding.died]);
  // Without its threads no image can be finished: none is waited for, however slow its host.
  died.catch((error: Error) => stopping.abort(error));
  return {
    embeddingOf,
    rank: times.timed('score', scorer.rankImage),
    imagesInFlight,
    times,
    died,
    stop: (reason) => stopping.abort(reason),
    async close() {
      await decoding.close();
      await scorer.close();
      await input.vectorCache?.close();
    },
  };
}
