import { ClipfleetError } from '../../shared/errors.ts';
import type { LabelSet, ScoreFunction } from '../../shared/labels/labelSet.ts';
import { nameLabels, type Prediction, type RankedLabel } from '../../shared/rows/prediction.ts';
import type { LabelMatrix } from '../labels/labelMatrix.ts';

/** From cosine to logit. The scale is the factor itself (about 100 for CLIP), where checkpoints keep its logarithm. */
export interface Scale {
  logitScale: number;
  /** 0 for models that have none. */
  logitBias: number;
}

/** How a model scores where the label set does not say. */
export interface Scoring extends Scale {
  scoreFunction: 'softmax' | 'sigmoid';
}

/**
 * The labels for one image, best first; equal scores in the set's order, as the reference's stable sort leaves them.
 *
 * Negative labels take part in the scores and are left out of the answer, as are labels below their threshold: the list
 * may be empty. `topK` counts what is left.
 *
 * @param embedding the image's, of unit length, by the model that made the matrix
 * @throws INFERENCE_FAILED where an embedding is not of finite numbers, INTERNAL where the sizes do not belong together
 */
export function rank(
  embedding: Float32Array,
  matrix: LabelMatrix,
  set: LabelSet,
  scoring: Scoring,
): Prediction[] {
  return nameLabels(rankLabels(embedding, matrix, set, scoring), set.labels);
}

/** What `rank` does, with labels by their place in the set. */
export function rankLabels(
  embedding: Float32Array,
  matrix: LabelMatrix,
  set: LabelSet,
  scoring: Scoring,
): RankedLabel[] {
  checkSizes(embedding, matrix, set.labels.length);
  const cosines = cosinesOf(embedding, matrix);
  const logits = cosines.map((cosine) => cosine * scoring.logitScale + scoring.logitBias);
  const scores = scoresOf(set.scoreFunction ?? scoring.scoreFunction, cosines, logits, set.temperature ?? 1);
  const asked = (output: 'logit' | 'cosine') => set.outputs?.includes(output);
  return best(scores, set).map((index) => ({
    index,
    score: scores[index]!,
    ...(asked('logit') && { logit: logits[index]! }),
    ...(asked('cosine') && { cosine: cosines[index]! }),
  }));
}

/** @throws INTERNAL where embedding, matrix and label set do not belong together */
export function checkSizes(embedding: Float32Array, matrix: LabelMatrix, labels: number): void {
  const { data, dimensions } = matrix;
  if (matrix.labels === labels && embedding.length === dimensions && data.length === labels * dimensions)
    return;
  const got = `${data.length} for ${matrix.labels} labels, and an embedding of ${embedding.length}`;
  throw new ClipfleetError('INTERNAL', `Expected ${labels} × ${dimensions} numbers, got ${got}.`);
}

/** Of unit vectors the cosine is the dot product. */
function cosinesOf(embedding: Float32Array, { data, labels }: LabelMatrix): Float64Array {
  const cosines = new Float64Array(labels);
  for (let label = 0; label < labels; label += 4) dotFour(embedding, data, label, cosines);
  // One NaN or infinity anywhere ends in the sum.
  const sum = cosines.reduce((total, cosine) => total + cosine, 0);
  if (!Number.isFinite(sum)) throw notFinite(sum);
  return cosines;
}

export function notFinite(sum: number): ClipfleetError {
  return new ClipfleetError(
    'INFERENCE_FAILED',
    `Expected finite embeddings, got cosines that sum to ${sum}.`,
  );
}

/**
 * Four rows at once: the sums do not wait for each other and the vector is read once for all, three times as fast as row
 * by row. Past the last row the last one is taken again, and written past the end of `out`, which is nowhere.
 */
function dotFour(vector: Float32Array, data: Float32Array, row: number, out: Float64Array): void {
  const length = vector.length;
  const last = data.length - length;
  const a = row * length;
  const b = Math.min(a + length, last);
  const c = Math.min(b + length, last);
  const d = Math.min(c + length, last);
  let sumA = 0;
  let sumB = 0;
  let sumC = 0;
  let sumD = 0;
  for (let i = 0; i < length; i++) {
    const value = vector[i]!;
    sumA += value * data[a + i]!;
    sumB += value * data[b + i]!;
    sumC += value * data[c + i]!;
    sumD += value * data[d + i]!;
  }
  out[row] = sumA;
  out[row + 1] = sumB;
  out[row + 2] = sumC;
  out[row + 3] = sumD;
}

/**
 * `logit = cosine × logitScale + logitBias`: CLIP's `logits_per_image` (Radford et al. 2021, figure 3) with bias 0, and
 * SigLIP's (Zhai et al. 2023, algorithm 1).
 *
 * The temperature divides the whole logit inside softmax and sigmoid (temperature scaling: Guo et al. 2017, "On
 * Calibration of Modern Neural Networks", section 4.2): probabilities become softer or harder, their order and the
 * sigmoid's 0.5 stay. Scores that are cosines or logits are the model's own, and the temperature is not in them.
 */
function scoresOf(
  scoreFunction: ScoreFunction,
  cosines: Float64Array,
  logits: Float64Array,
  temperature: number,
): Float64Array {
  switch (scoreFunction) {
    case 'softmax':
      return softmax(logits, temperature);
    case 'sigmoid':
      return logits.map((logit) => 1 / (1 + Math.exp(-logit / temperature)));
    case 'cosine':
      return cosines;
    case 'logit':
      return logits;
  }
}

/** The largest logit is taken off first, so that nothing overflows and the sum is at least 1. */
function softmax(logits: Float64Array, temperature: number): Float64Array {
  const largest = logits.reduce((max, logit) => Math.max(max, logit), -Infinity);
  const powers = logits.map((logit) => Math.exp((logit - largest) / temperature));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** The places of the labels to report, best first. Never sorts more than it must: sets have 21,000 labels, answers 5. */
function best(scores: Float64Array, set: LabelSet): number[] {
  const count = Math.min(set.topK ?? scores.length, scores.length);
  const order = (a: number, b: number) => scores[b]! - scores[a]! || a - b;
  const kept: number[] = [];
  let worst = -Infinity;
  for (const [index, { negative, threshold = set.threshold ?? -Infinity }] of set.labels.entries()) {
    const score = scores[index]!;
    // A later label with the worst kept score would stand behind it.
    if (negative || score < threshold || score <= worst) continue;
    kept.push(index);
    if (kept.length < 2 * count) continue;
    kept.sort(order);
    kept.length = count;
    worst = scores[kept[count - 1]!]!;
  }
  return kept.sort(order).slice(0, count);
}
