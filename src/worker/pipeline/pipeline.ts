import PQueue from 'p-queue';
import { defaultOf } from '../../shared/options/config.ts';
import type { RankedLabel } from '../../shared/rows/prediction.ts';
import { imageBytesOf } from '../decode/resample.ts';
import type { LoadedModel } from '../model/loadModel.ts';
import { createScorer, type ScoredLabels } from '../score/scorer.ts';
import { createBatcher } from './batcher.ts';
import { createEmbeddingOf, type EmbeddingOf } from './embeddingOf.ts';
import { createEmbedOnce } from './embedOnce.ts';
import type { DecodeImage } from './imageDecoder.ts';
import type { PipelineSettings } from './pipelineSettings.ts';
import { createStageTimes, type StageTimes } from './stageTimes.ts';

/** Where a pipeline's images come from, and what makes pixels of them. */
export interface ImageSource<Ref> {
  /** The bytes of one image; rejects with the signal's reason once that is aborted. */
  fetchImage(ref: Ref, signal: AbortSignal): Uint8Array | Promise<Uint8Array>;
  decodeImage: DecodeImage;
}

export type PipelineLimits = Pick<PipelineSettings, 'batchSize' | 'decodeThreads'> &
  Partial<Pick<PipelineSettings, 'imagesInFlight' | 'embeddingCache'>>;

/** What a pipeline tells while it works. */
export interface PipelineListener {
  /** The images of each batch as it starts. */
  onBatch?: ((images: number) => void) | undefined;
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
  /** Ends its thread; the model's session is its owner's to close. */
  close(): Promise<void>;
}

/** The one way from images to ranked labels, for worker, library, `tune` and `verify`. */
export function openPipeline<Ref>(
  { session, preprocessing, scoring }: Pick<LoadedModel, 'session' | 'preprocessing' | 'scoring'>,
  source: ImageSource<Ref>,
  {
    batchSize,
    decodeThreads,
    imagesInFlight = 3 * batchSize,
    embeddingCache = defaultOf('embeddingCache'),
  }: PipelineLimits,
  { onBatch, onImagesFitting }: PipelineListener = {},
): Pipeline<Ref> {
  const times = createStageTimes({ batchSize, decodeThreads, imagesInFlight });
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
  const scorer = createScorer({ scoring });
  const embeddingOf = createEmbeddingOf<Ref>({
    fetchImage: (ref) => {
      stopping.signal.throwIfAborted();
      return source.fetchImage(ref, stopping.signal);
    },
    decodeImage: source.decodeImage,
    embedImage: batcher.embedImage,
    ...(embeddingCache > 0 && { embedOnce: createEmbedOnce(embeddingCache) }),
    inFlight: new PQueue({ concurrency: imagesInFlight }),
    decoding: new PQueue({ concurrency: decodeThreads }),
    times,
  });
  const died = Promise.race([session.died, scorer.died]);
  // Without its threads no image can be finished: none is waited for, however slow its host.
  died.catch((error: Error) => stopping.abort(error));
  return {
    embeddingOf,
    rank: times.timed('score', scorer.rankImage),
    imagesInFlight,
    times,
    died,
    stop: (reason) => stopping.abort(reason),
    close: scorer.close,
  };
}
