import type PQueue from 'p-queue';
import type { ImageSource } from '../../shared/refs/imageSource.ts';
import type { Decoders } from '../decoders/decoders.ts';
import { releaseMemory } from '../resize/releaseMemory.ts';
import type { VectorCache } from '../vectorCache/vectorCache.ts';
import type { Batcher } from './batcher.ts';
import type { EmbedOnce } from './embedOnce.ts';
import type { StageTimes } from './stageTimes.ts';

/** The stages from an image's ref to its embedding; each is passed in. */
export interface EmbeddingStages<Ref> {
  fetchImage: (ref: Ref) => ImageSource | Promise<ImageSource>;
  /** Images wait in it for a decoder, where they can be overtaken and called back; it measures itself. */
  decodeImage: Decoders['decode'];
  embedImage: Batcher['embedImage'];
  /** Where equal files are to be embedded once. */
  embedOnce?: EmbedOnce;
  /** Where embeddings of files outlive the process. */
  vectorCache?: Pick<VectorCache, 'recall' | 'keep'> | undefined;
  /** Bounds the images between ref and embedding, over all jobs. */
  inFlight: PQueue;
  /** Measures fetching; the decoders and the batcher measure their own. */
  times: Pick<StageTimes, 'timed'>;
}

/** How one image is embedded. */
export interface EmbedHow {
  /** Overtakes at each place where images wait. */
  urgent?: boolean;
  /** Calls the image back if it has not begun. */
  signal?: AbortSignal;
}

export type EmbeddingOf<Ref> = (ref: Ref, how?: EmbedHow) => Promise<Float32Array>;

/**
 * One image from its ref to its unit embedding. One that waits to be fetched or decoded when the signal is aborted rejects with
 * the signal's reason; one that is being fetched or is further goes on.
 */
export function createEmbeddingOf<Ref>(stages: EmbeddingStages<Ref>): EmbeddingOf<Ref> {
  const { decodeImage, embedImage, embedOnce, vectorCache, inFlight, times } = stages;
  const fetchImage = times.timed('fetch', stages.fetchImage);
  return (ref, { urgent = false, signal } = {}) => {
    const priority = urgent ? 1 : 0;
    return unlessCalledBack(inFlight, priority, signal, async () => {
      const source = await fetchImage(ref);
      const listening = signal?.aborted ? undefined : signal;
      const verdict = await decodeImage(source, {
        urgent,
        signal: listening,
        digest: embedOnce !== undefined || vectorCache !== undefined,
      });
      if (verdict.kind === 'calledBack') throw listening!.reason;
      if (verdict.kind === 'failed') throw verdict.error;
      if (verdict.kind === 'embedded') return vectorCache!.recall(verdict.vector);
      const { digest, pixels } = verdict;
      const { data } = pixels;
      const embed = async () => {
        const embedding = await embedImage(data, urgent);
        vectorCache?.keep(digest!, embedding);
        return embedding;
      };
      try {
        return await (embedOnce?.(digest!, embed) ?? embed());
      } finally {
        releaseMemory(data);
      }
    });
  };
}

/** The work in its turn; rejects with the signal's reason where that is aborted before the turn has come. */
function unlessCalledBack<T>(
  queue: PQueue,
  priority: number,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  if (!signal) return queue.add(work, { priority });
  // The queue's own signal would let go of work that has begun, too.
  return new Promise<T>((resolve, reject) => {
    const callBack = () => reject(signal.reason);
    const begin = async () => {
      signal.removeEventListener('abort', callBack);
      if (!signal.aborted) resolve(await work());
    };
    if (signal.aborted) return callBack();
    signal.addEventListener('abort', callBack);
    queue.add(begin, { priority }).catch(reject);
  });
}
