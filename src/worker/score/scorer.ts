import { LRUCache } from 'lru-cache';
import { ClipfleetError } from '../../shared/errors.ts';
import type { RankedLabel } from '../../shared/rows/prediction.ts';
import type { PreparedLabels } from '../labels/labelMatrices.ts';
import { startThread, type ThreadClient } from '../onnx/threadClient.ts';
import { joinVectors } from '../onnx/vectors.ts';
import { checkSizes, notFinite, type Scoring } from './rank.ts';
import { type ScoreSpec, scoreSpecOf } from './scoreGraph.ts';

/** What the scoring thread is asked; `set` is the number under which it keeps a label set. */
export type ScorerRequest =
  | { kind: 'take'; set: number; spec: ScoreSpec; data: Float32Array; threads: number }
  | { kind: 'rank'; set: number; embeddings: Float32Array; count: number }
  | { kind: 'letGo'; set: number };

/** The scoring thread's answer: the outputs of `scoreGraph`, row after row. */
export interface RankedRows {
  sums: Float32Array;
  indices: Int32Array;
  scores: Float32Array;
  logit?: Float32Array;
  cosine?: Float32Array;
}

/** Labels to score against, known by the object: the same object is always the same labels. */
export type ScoredLabels = Pick<PreparedLabels, 'labelSet' | 'matrix'>;

export interface ScorerOptions {
  /** How the model scores. */
  scoring: Scoring;
  /** Threads of a matrix product. */
  threads?: number;
  /** Numbers of all matrices that the thread holds. */
  heldNumbersMax?: number;
  /** How long the thread may take for one answer before it counts as hung, in milliseconds; a minute when absent. */
  answerMaxMs?: number | undefined;
  /** Told of the images of each matrix product as it starts. */
  onProduct?: (images: number) => void;
}

export interface Scorer {
  /**
   * The labels for one image, best first, as `rankLabels` gives them, in float32.
   *
   * @throws INFERENCE_FAILED where an embedding is not of finite numbers, INTERNAL where the sizes do not belong together
   */
  rankImage(embedding: Float32Array, labels: ScoredLabels): Promise<RankedLabel[]>;
  /** Rejects when the thread dies by itself: the process has lost its purpose and should end. */
  died: Promise<never>;
  close(): Promise<void>;
}

/** 512 MiB of float32, as many as a worker keeps of label matrices. */
const HELD_NUMBERS_MAX = 128 * 1024 * 1024;
/** Most scores of one product, 16 MiB of float32; the thread holds them a few times over. */
const SCORES_MAX = 4 * 1024 * 1024;

const ANSWER_MAX_MS = 60_000;

interface Waiting {
  embedding: Float32Array;
  resolve: (ranked: RankedLabel[]) => void;
  reject: (error: unknown) => void;
}

/**
 * Ranks images in a thread of its own, started when the first image comes: 21,000 labels cost milliseconds, which the
 * main thread owes to its locks and sockets, and the session thread to the images that wait for it.
 *
 * There is no clock. While the thread is busy images gather by their labels, and then all that gathered for the labels
 * that have waited longest go in one matrix product. When it is idle they gather for one turn of the event loop, which
 * is when the images of one batch come.
 */
export function createScorer({
  scoring,
  threads = 1,
  heldNumbersMax = HELD_NUMBERS_MAX,
  answerMaxMs = ANSWER_MAX_MS,
  onProduct,
}: ScorerOptions): Scorer {
  const waiting = new Map<ScoredLabels, Waiting[]>();
  let thread: ThreadClient<ScorerRequest, undefined> | undefined;
  let busy = false;
  let closed = false;
  let nextSet = 0;
  let lose: (error: Error) => void;
  const died = new Promise<never>((_, reject) => {
    lose = reject;
  });
  died.catch(() => {});

  const held = new LRUCache<ScoredLabels, number>({
    maxSize: heldNumbersMax,
    // One that is larger than all that may be held is held alone.
    sizeCalculation: (_, { matrix }) => Math.min(matrix.data.length, heldNumbersMax),
    dispose: (set) => void ask({ kind: 'letGo', set }).catch(() => {}),
  });

  function ask<Answer>(request: ScorerRequest, moved: ArrayBuffer[] = []): Promise<Answer> {
    if (closed) return Promise.reject(new ClipfleetError('SESSION_LOST', 'The scoring thread is closed.'));
    if (!thread) {
      thread = startThread('The scoring thread', new URL('./scorerThread.js', import.meta.url));
      thread.limitAnswers(answerMaxMs);
      thread.died.catch(lose);
    }
    return thread.ask(request, moved);
  }

  /** The number under which the thread has the labels; it is given them where it has not. */
  async function give(labels: ScoredLabels): Promise<number> {
    const known = held.get(labels);
    if (known !== undefined) return known;
    const set = nextSet++;
    // Before they are given, so that the thread lets go of others first.
    held.set(labels, set);
    const { data, dimensions } = labels.matrix;
    const spec = scoreSpecOf(labels.labelSet, scoring, dimensions);
    try {
      await ask({ kind: 'take', set, spec, data, threads });
    } catch (error) {
      held.delete(labels);
      throw error;
    }
    return set;
  }

  function pump(): void {
    const [next] = waiting;
    busy = next !== undefined;
    if (!next) return;
    const [labels, images] = next;
    const batch = images.splice(0, Math.max(1, Math.floor(SCORES_MAX / labels.matrix.labels)));
    // What is left, or comes while this product runs, stands behind other labels.
    waiting.delete(labels);
    if (images.length > 0) waiting.set(labels, images);
    void rankBatch(labels, batch).finally(pump);
  }

  /** Settles every image of the batch, whatever happens: a caller left waiting would hold its job for ever. */
  async function rankBatch(labels: ScoredLabels, batch: Waiting[]): Promise<void> {
    onProduct?.(batch.length);
    try {
      const set = await give(labels);
      const embeddings = joinVectors(batch.map(({ embedding }) => embedding));
      const request = { kind: 'rank', set, embeddings, count: batch.length } as const;
      const rows = await ask<RankedRows>(request, [embeddings.buffer]);
      batch.forEach(({ resolve, reject }, i) => {
        const sum = rows.sums[i]!;
        if (Number.isFinite(sum)) resolve(rankedLabels(rows, i));
        else reject(notFinite(sum));
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  return {
    died,
    rankImage(embedding, labels) {
      return new Promise((resolve, reject) => {
        checkSizes(embedding, labels.matrix, labels.labelSet.labels.length);
        const images = waiting.get(labels) ?? [];
        images.push({ embedding, resolve, reject });
        waiting.set(labels, images);
        if (busy) return;
        busy = true;
        setImmediate(pump);
      });
    },
    async close() {
      closed = true;
      await thread?.close();
    },
  };
}

function rankedLabels({ sums, indices, scores, logit, cosine }: RankedRows, row: number): RankedLabel[] {
  const length = scores.length / sums.length;
  const ranked: RankedLabel[] = [];
  for (let i = row * length; i < (row + 1) * length && scores[i] !== -Infinity; i++) {
    ranked.push({
      index: indices[i]!,
      score: scores[i]!,
      ...(logit && { logit: logit[i]! }),
      ...(cosine && { cosine: cosine[i]! }),
    });
  }
  return ranked;
}
