import type PQueue from 'p-queue';
import type { RankedLabel } from '../shared/prediction.ts';
import type { Batcher } from './batcher.ts';
import type { Pixels } from './decode.ts';
import type { ScoredLabels, Scorer } from './scorer.ts';
import type { StageTimes } from './stageTimes.ts';

/** The stages one image goes through; each is passed in. */
export interface Stages<Ref> {
  fetchImage: (ref: Ref) => Uint8Array | Promise<Uint8Array>;
  decodeImage: (bytes: Uint8Array) => Promise<Pixels>;
  embedImage: Batcher['embedImage'];
  rankImage: Scorer['rankImage'];
  /** Bounds the images between fetch and prediction, over all jobs. */
  inFlight: PQueue;
  /** Bounds the images being decoded: what waits for a thread waits here, where it can be overtaken. */
  decoding: PQueue;
  /** Measures the stages in between; the batcher measures its own. */
  times?: Pick<StageTimes, 'timed'>;
}

export type Classify<Ref> = (ref: Ref, labels: ScoredLabels, urgent: boolean) => Promise<RankedLabel[]>;

/** One image from its ref to its ranked labels. An urgent one overtakes at each place where images wait. */
export function createClassify<Ref>(stages: Stages<Ref>): Classify<Ref> {
  const { embedImage, inFlight, decoding, times } = stages;
  const fetchImage = times?.timed('fetch', stages.fetchImage) ?? stages.fetchImage;
  const decodeImage = times?.timed('decode', stages.decodeImage) ?? stages.decodeImage;
  const rankImage = times?.timed('score', stages.rankImage) ?? stages.rankImage;
  return (ref, labels, urgent) => {
    const priority = urgent ? 1 : 0;
    return inFlight.add(
      async () => {
        const bytes = await fetchImage(ref);
        const pixels = await decoding.add(() => decodeImage(bytes), { priority });
        const embedding = await embedImage(pixels.data, urgent);
        return await rankImage(embedding, labels);
      },
      { priority },
    );
  };
}
