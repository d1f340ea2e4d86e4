import type { Redis } from 'ioredis';
import { inRedisWithRun, readImageVector, readTextVectors } from '../../shared/embeddings/answerVectors.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import { defineLabelSet } from '../../shared/labels/labelSet.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import { ANY_IMAGE } from '../../shared/refs/anyImage.ts';
import type { ResultsStore } from '../../shared/rows/resultsStore.ts';
import { type EmbeddingsBody, embeddingsBody, embeddingsOf, inputsOf } from '../schemas/embeddingsBody.ts';
import { imageIn, inlineUri } from '../uploads/imageIn.ts';
import {
  type BatchEndpoint,
  bodyOf,
  classifiedRow,
  groupedBy,
  type PlannedRun,
  type ReadLine,
} from './batchEndpoint.ts';

interface EmbedAsked {
  model: string | undefined;
  texts: { i: number; text: string }[];
  images: { i: number; uri: string }[];
  encoding_format: EmbeddingsBody['encoding_format'];
}

interface EmbedContext {
  redis: Redis;
  keys: Keys;
  store: Pick<ResultsStore, 'getRow'>;
}

/** The id of the image that the texts ride on. Those of lines are numbers. */
const TEXTS = 'texts';

/**
 * Lines for `/v1/embeddings`: a run for each model, whose labels are the texts of all lines and whose images are theirs. The vectors of
 * both come through Redis.
 */
export function embedLines(context: EmbedContext): BatchEndpoint<EmbedAsked> {
  return {
    weigh(body) {
      const { input } = body as { input?: unknown };
      return Array.isArray(input) ? Math.max(input.length, 1) : 1;
    },

    read(given) {
      const body = bodyOf(embeddingsBody, given);
      const { texts, images } = inputsOf(body);
      const refs = images.map(({ i, image }) => ({ i, uri: inlineUri(imageIn(image)) }));
      // What no label can be is refused here, and not together with the texts of other lines.
      if (texts.length > 0) labelSetOf(texts.map(({ text }) => text));
      return { model: body.model, texts, images: refs, encoding_format: body.encoding_format };
    },

    plan(lines) {
      const groups = groupedBy(lines, ({ model }) => model);
      return [...groups].map(([model, group]) => planOf(context, model, group));
    },
  };
}

function planOf(
  { redis, keys, store }: EmbedContext,
  model: string,
  lines: ReadLine<EmbedAsked>[],
): PlannedRun {
  const texts: string[] = [];
  /** Where the texts of each line begin among all. */
  const begins = new Map<number, number>();
  for (const { number, asked } of lines) {
    begins.set(number, texts.length);
    texts.push(...asked.texts.map(({ text }) => text));
  }
  const idOf = (line: number, i: number) => `${line}-${i}`;
  const byNumber = new Map(lines.map((line) => [line.number, line.asked]));
  /** Read once for all lines of the run. */
  let textVectors: Promise<Float32Array> | undefined;

  async function vectorsOf(run: string, line: number): Promise<Float32Array[] | undefined> {
    const { texts: own, images } = byNumber.get(line)!;
    const vectors: Float32Array[] = [];
    if (own.length > 0) {
      if (!(await classifiedRow(store, run, TEXTS))) return undefined;
      textVectors ??= readTextVectors(redis, keys, run);
      const all = await textVectors;
      const dimensions = all.length / texts.length;
      for (const [t, { i }] of own.entries()) {
        const at = (begins.get(line)! + t) * dimensions;
        vectors[i] = all.subarray(at, at + dimensions);
      }
    }
    for (const { i } of images) {
      const id = idOf(line, i);
      const row = await classifiedRow(store, run, id).catch((error: ClipfleetError) => {
        throw new ClipfleetError(error.code, `input[${i}]: ${error.message}`, { cause: error });
      });
      if (!row) return undefined;
      vectors[i] = await readImageVector(redis, keys, run, id);
    }
    return vectors;
  }

  return {
    key: model,
    model,
    labelSet: texts.length > 0 ? labelSetOf(texts) : undefined,
    keepEmbeddings: inRedisWithRun,
    isMixed: lines.length > 1,
    lines: lines.map(({ number }) => number),
    images: [
      ...(texts.length > 0 ? [{ id: TEXTS, uri: ANY_IMAGE }] : []),
      ...lines.flatMap(({ number, asked }) =>
        asked.images.map(({ i, uri }) => ({ id: idOf(number, i), uri })),
      ),
    ],
    async answer(run, line) {
      const vectors = await vectorsOf(run, line);
      const { encoding_format } = byNumber.get(line)!;
      return vectors && embeddingsOf(vectors, { model, encoding_format });
    },
  };
}

/** Rows keep the score of one of them: nobody reads it. */
function labelSetOf(texts: readonly string[]) {
  return defineLabelSet({ labels: texts.map((text, i) => ({ label: String(i), prompts: [text] })), topK: 1 });
}
