import type PQueue from 'p-queue';
import type { RankedLabel } from '../../shared/rows/prediction.ts';
import type { Pixels } from '../decode/decode.ts';
import type { ScoredLabels, Scorer } from '../score/scorer.ts';
import type { Batcher } from './batcher.ts';
import type { EmbedOnce } from './embedOnce.ts';
import type { StageTimes } from './stageTimes.ts';

/** The stages one image goes through; each is passed in. */
export interface Stages<Ref> {
  fetchImage: (ref: Ref) => Uint8Array | Promise<Uint8Array>;
  decodeImage: (bytes: Uint8Array) => Promise<Pixels>;
  embedImage: Batcher['embedImage'];
  /** Where equal files are to be embedded once. */
  embedOnce?: EmbedOnce;
  rankImage: Scorer['rankImage'];
  /** Bounds the images between fetch and prediction, over all jobs. */
  inFlight: PQueue;
  /** Bounds the images being decoded: what waits for a thread waits here, where it can be overtaken. */
  decoding: PQueue;
  /** Measures the stages in between; the batcher measures its own. */
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
  const { embedImage, embedOnce, inFlight, decoding, times } = stages;
  const fetchImage = times?.timed('fetch', stages.fetchImage) ?? stages.fetchImage;
  const decodeImage = times?.timed('decode', stages.decodeImage) ?? stages.decodeImage;
  const rankImage = times?.timed('score', stages.rankImage) ?? stages.rankImage;
  return (ref, labels, urgent, signal) => {
    const priority = urgent ? 1 : 0;
    return unlessCalledBack(inFlight, priority, signal, async () => {
      const bytes = await fetchImage(ref);
      const listening = signal?.aborted ? undefined : signal;
      const embed = async () => {
        const pixels = await unlessCalledBack(decoding, priority, listening, () => decodeImage(bytes));
        return embedImage(pixels.data, urgent);
      };
      const embedding = await (embedOnce?.(bytes, embed) ?? embed());
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
