import PQueue from 'p-queue';
import { defaultOf } from '../../shared/options/config.ts';
import { type DecodeOptions, decodeImage } from '../decode/decode.ts';
import type { LoadedModel } from '../model/loadModel.ts';
import { createBatcher } from '../pipeline/batcher.ts';

/** A number of decode threads, and how fast decoding and the session were together each time. */
export interface DecodeTrial {
  decodeThreads: number;
  /** Images a second. */
  rates: number[];
}

const ROUNDS_MAX = 7;
/** Of one trial; long enough that filling and draining the line is a small part of it. */
const TRIAL_SECONDS = 1.5;
const limits: DecodeOptions = {
  pixelsMax: defaultOf('imagePixelsMax'),
  timeoutMs: defaultOf('decodeTimeoutMs'),
};

/**
 * How many images a second go through decoder and session together, by decode threads, in turns within about `budgetMs`. Both
 * want the same cores, so that the one is not best where it is best alone.
 *
 * @param rate images a second that the session takes alone
 */
export async function sweepDecode(
  model: Pick<LoadedModel, 'session' | 'preprocessing' | 'decoding'>,
  pictures: readonly Uint8Array[],
  { decodeThreads, batchSize, rate }: { decodeThreads: readonly number[]; batchSize: number; rate: number },
  budgetMs: number,
): Promise<DecodeTrial[]> {
  const { session, preprocessing, decoding } = model;
  const endsAt = performance.now() + budgetMs;
  const imageBytes = preprocessing.width * preprocessing.height * 3;
  const count = Math.max(4 * batchSize, Math.ceil(TRIAL_SECONDS * rate));
  const trials = decodeThreads.map((threads): DecodeTrial => ({ decodeThreads: threads, rates: [] }));

  async function measure(trial: DecodeTrial): Promise<void> {
    const { embedImage } = createBatcher({ batchSize, imageBytes, run: session.embedImages });
    const inFlight = new PQueue({ concurrency: 3 * batchSize });
    const decoders = new PQueue({ concurrency: trial.decodeThreads });
    const startedAt = performance.now();
    await inFlight.addAll(
      Array.from({ length: count }, (_, i) => async () => {
        const bytes = pictures[i % pictures.length]!;
        const pixels = await decoders.add(() =>
          decodeImage(bytes, preprocessing, { ...limits, ...decoding }),
        );
        await embedImage(pixels.data);
      }),
    );
    trial.rates.push((count * 1000) / (performance.now() - startedAt));
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
