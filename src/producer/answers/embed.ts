import type { Redis } from 'ioredis';
import { readImageVector, readTextVectors } from '../../shared/embeddings/answerVectors.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import { defineLabelSet } from '../../shared/labels/labelSet.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import { ANY_IMAGE } from '../../shared/refs/anyImage.ts';
import { newRunId } from '../runs/newRun.ts';
import type { AnswerOptions, Answers, OneImage } from './labelOne.ts';

export interface EmbedOptions extends Omit<AnswerOptions, 'keptMs'> {
  /** `name@revision:dtype`, as a worker prints it when it starts. */
  model: string;
}

/** Nothing of an answer is wanted later than the answer. */
const KEPT_MS = 60_000;

/** Asks for vectors, through the interactive lane. */
export function createEmbedder({ redis, keys, answers }: { redis: Redis; keys: Keys; answers: Answers }) {
  async function ask(image: Pick<OneImage, 'uri' | 'labelSet'>, { model, ...told }: EmbedOptions) {
    const run = newRunId();
    const row = await answers.labelOne(
      { ...image, model, run, withVectors: true },
      { ...told, keptMs: KEPT_MS },
    );
    if (row.status === 'failed') throw new ClipfleetError(row.error.code, row.error.message);
    return run;
  }

  return {
    /**
     * The unit vector of an image, D numbers.
     *
     * @throws the code that the image's row would have, ANSWER_TIMEOUT, and the signal's reason at once
     */
    async embedImage(uri: string, options: EmbedOptions): Promise<Float32Array> {
      const run = await ask({ uri, labelSet: undefined }, options);
      return readImageVector(redis, keys, run, run);
    },

    /**
     * The unit vectors of texts, in their order, N x D. They are the prompts of a label set, whose matrix a worker makes for any image.
     *
     * @throws LABEL_SET_INVALID, ANSWER_TIMEOUT, and the signal's reason at once
     */
    async embedTexts(texts: readonly string[], options: EmbedOptions): Promise<Float32Array[]> {
      const labels = texts.map((text, i) => ({ label: String(i), prompts: [text] }));
      const run = await ask({ uri: ANY_IMAGE, labelSet: defineLabelSet({ labels }) }, options);
      const all = await readTextVectors(redis, keys, run);
      const dimensions = all.length / texts.length;
      return texts.map((_, i) => all.subarray(i * dimensions, (i + 1) * dimensions));
    },
  };
}
