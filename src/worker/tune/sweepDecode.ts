import PQueue from 'p-queue';
import { defaultOf } from '../../shared/options/config.ts';
import { openDecoders, pixelsOf } from '../decode/decoders.ts';
import type { LoadedModel } from '../model/loadModel.ts';
import { createBatcher } from '../pipeline/batcher.ts';

/** A number of decoders, and how fast decoding and the session were together each time. */
export interface DecodeTrial {
  decoders: number;
  /** Images a second. */
  rates: number[];
}

const ROUNDS_MAX = 7;
/** Of one trial; long enough that filling and draining the line is a small part of it. */
const TRIAL_SECONDS = 1.5;
/** Whoever tunes names the files. */
const anyFile = { roots: new Map<string, string>(), trustPaths: true, bytesMax: defaultOf('imageBytesMax') };

/**
 * How many images a second go through decoder and session together, by decoders, in turns within about `budgetMs`. Both
 * want the same cores, so that the one is not best where it is best alone.
 *
 * @param pictures paths of image files
 * @param rate images a second that the session takes alone
 */
export async function sweepDecode(
  model: Pick<LoadedModel, 'session' | 'preprocessing' | 'decoding'>,
  pictures: readonly string[],
  { decoders, batchSize, rate }: { decoders: readonly number[]; batchSize: number; rate: number },
  budgetMs: number,
): Promise<DecodeTrial[]> {
  const { session, preprocessing, decoding } = model;
  const endsAt = performance.now() + budgetMs;
  const imageBytes = preprocessing.width * preprocessing.height * 3;
  const count = Math.max(4 * batchSize, Math.ceil(TRIAL_SECONDS * rate));
  const trials = decoders.map((count): DecodeTrial => ({ decoders: count, rates: [] }));

  async function measure(trial: DecodeTrial): Promise<void> {
    const { embedImage } = createBatcher({ batchSize, imageBytes, run: session.embedImages });
    const inFlight = new PQueue({ concurrency: 3 * batchSize });
    const { decoders } = trial;
    const stage = openDecoders({ preprocessing, decoding, decoders, files: anyFile });
    async function labelNext(i: number): Promise<void> {
      const verdict = await stage.decode({ file: { uri: pictures[i % pictures.length]! } });
      await embedImage(pixelsOf(verdict).data);
    }
    try {
      // Enough for all decoders to be started.
      await Promise.all(Array.from({ length: 4 * decoders }, (_, i) => labelNext(i)));
      const startedAt = performance.now();
      await inFlight.addAll(Array.from({ length: count }, (_, i) => () => labelNext(i)));
      trial.rates.push((count * 1000) / (performance.now() - startedAt));
    } finally {
      await stage.close();
    }
  }

  for (let round = 0; round < ROUNDS_MAX; round++) {
    for (const trial of trials) {
      const expectedMs = (count * 1000) / (trial.rates[0] ?? rate);
      if (round > 0 && performance.now() + expectedMs > endsAt) return trials;
      await measure(trial);
    }
  }
  return trials;
}
