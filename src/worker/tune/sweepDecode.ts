import { defaultOf } from '../../shared/options/config.ts';
import type { LoadedModel } from '../model/loadModel.ts';
import { openPipeline } from '../pipeline/pipeline.ts';
import { openPipelineDecoders } from '../pipeline/pipelineDecoders.ts';
import { defaultPipelineSettings } from '../pipeline/pipelineSettings.ts';

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
  model: LoadedModel,
  pictures: readonly string[],
  { decoders, batchSize, rate }: { decoders: readonly number[]; batchSize: number; rate: number },
  budgetMs: number,
): Promise<DecodeTrial[]> {
  const endsAt = performance.now() + budgetMs;
  const count = Math.max(4 * batchSize, Math.ceil(TRIAL_SECONDS * rate));
  const trials = decoders.map((count): DecodeTrial => ({ decoders: count, rates: [] }));

  async function measure(trial: DecodeTrial): Promise<void> {
    const settings = { ...defaultPipelineSettings(), batchSize, decoders: trial.decoders };
    const { embeddingOf, close } = openPipeline(
      model,
      {
        fetchImage: (i: number) => ({ file: { uri: pictures[i % pictures.length]! } }),
        openDecoders: (onBegin) => openPipelineDecoders(model, { files: anyFile, onBegin }, settings),
      },
      settings,
    );
    const embedAll = (images: number) =>
      Promise.all(Array.from({ length: images }, (_, i) => embeddingOf(i)));
    try {
      // Enough for all decoders to be started.
      await embedAll(4 * trial.decoders);
      const startedAt = performance.now();
      await embedAll(count);
      trial.rates.push((count * 1000) / (performance.now() - startedAt));
    } finally {
      await close();
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
