import type PQueue from 'p-queue';
import type { ImageSource } from '../../shared/refs/imageSource.ts';
import type { RankedLabel } from '../../shared/rows/prediction.ts';
import type { DecodeHow, DecodeVerdict } from '../decode/decoders.ts';
import type { ScoredLabels, Scorer } from '../score/scorer.ts';
import type { Batcher } from './batcher.ts';
import type { EmbedOnce } from './embedOnce.ts';
import type { StageTimes } from './stageTimes.ts';

/** The stages one image goes through; each is passed in. */
export interface Stages<Ref> {
  fetchImage: (ref: Ref) => ImageSource | Promise<ImageSource>;
  /** Images wait in it for a decoder, where they can be overtaken and called back; it measures itself. */
  decodeImage: (source: ImageSource, how: DecodeHow) => Promise<DecodeVerdict>;
  embedImage: Batcher['embedImage'];
  /** Where equal files are to be embedded once. */
  embedOnce?: EmbedOnce;
  rankImage: Scorer['rankImage'];
  /** Bounds the images between fetch and prediction, over all jobs. */
  inFlight: PQueue;
  /** Measures the stages in between; the batcher and the decoders measure their own. */
  times?: Pick<StageTimes, 'timed'>;
}

export type Classify<Ref> = (
  ref: Ref,
  labels: ScoredLabels,
  urgent: boolean,
  signal?: AbortSignal,
) => Promise<RankedLabel[]>;

/**
 * One image from its ref to its ranked labels. An urgent one overtakes at each place where images wait. One that waits to be
 * fetched or decoded when the signal is aborted rejects with its reason; one that is being fetched or is further goes on.
 */
export function createClassify<Ref>(stages: Stages<Ref>): Classify<Ref> {
  const { decodeImage, embedImage, embedOnce, inFlight, times } = stages;
  const fetchImage = times?.timed('fetch', stages.fetchImage) ?? stages.fetchImage;
  const rankImage = times?.timed('score', stages.rankImage) ?? stages.rankImage;
  return (ref, labels, urgent, signal) => {
    const priority = urgent ? 1 : 0;
    return unlessCalledBack(inFlight, priority, signal, async () => {
      const source = await fetchImage(ref);
      const listening = signal?.aborted ? undefined : signal;
      const verdict = await decodeImage(source, {
        urgent,
        signal: listening,
        digest: embedOnce !== undefined,
      });
      if (verdict.kind === 'calledBack') throw listening!.reason;
      if (verdict.kind === 'failed') throw verdict.error;
      const embed = () => embedImage(verdict.pixels.data, urgent);
      const embedding = await (embedOnce?.(verdict.digest!, embed) ?? embed());
      return await rankImage(embedding, labels);
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
