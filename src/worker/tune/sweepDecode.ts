import type { LoadedModel } from '../model/loadModel.ts';
import { createImageDecoder } from '../pipeline/imageDecoder.ts';
import { openPipeline } from '../pipeline/pipeline.ts';
import { defaultPipelineSettings } from '../pipeline/pipelineSettings.ts';

/** A number of decode threads, and how fast decoding and the session were together each time. */
export interface DecodeTrial {
  decodeThreads: number;
  /** Images a second. */
  rates: number[];
}

const ROUNDS_MAX = 7;
/** Of one trial; long enough that filling and draining the line is a small part of it. */
const TRIAL_SECONDS = 1.5;

/**
 * How many images a second go through decoder and session together, by decode threads, in turns within about `budgetMs`. Both
 * want the same cores, so that the one is not best where it is best alone.
 *
 * @param rate images a second that the session takes alone
 */
export async function sweepDecode(
  model: LoadedModel,
  pictures: readonly Uint8Array[],
  { decodeThreads, batchSize, rate }: { decodeThreads: readonly number[]; batchSize: number; rate: number },
  budgetMs: number,
): Promise<DecodeTrial[]> {
  const decodeImage = createImageDecoder(model, defaultPipelineSettings());
  const endsAt = performance.now() + budgetMs;
  const count = Math.max(4 * batchSize, Math.ceil(TRIAL_SECONDS * rate));
  const trials = decodeThreads.map((threads): DecodeTrial => ({ decodeThreads: threads, rates: [] }));

  async function measure(trial: DecodeTrial): Promise<void> {
    const fetchImage = (i: number) => pictures[i % pictures.length]!;
    const limits = { batchSize, decodeThreads: trial.decodeThreads };
    const { embeddingOf } = openPipeline(model, { fetchImage, decodeImage }, limits);
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: count }, (_, i) => embeddingOf(i)));
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
