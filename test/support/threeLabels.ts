import assert from 'node:assert/strict';
import { after } from 'node:test';
import { defineLabelSet, type LabelSet, type LabelSetInput } from '../../src/shared/labels/labelSet.ts';
import { nameLabels, type Prediction } from '../../src/shared/rows/prediction.ts';
import type { LabelMatrix } from '../../src/worker/labels/labelMatrix.ts';
import { rank, type Scoring } from '../../src/worker/score/rank.ts';
import { createScorer, type Scorer } from '../../src/worker/score/scorer.ts';

export const clip: Scoring = { logitScale: 10, logitBias: 0, scoreFunction: 'softmax' };
export const siglip: Scoring = { logitScale: 10, logitBias: -5, scoreFunction: 'sigmoid' };

/** The image looks along the first axis, so a row's first number is its cosine: 0.5, 0.125, -0.25, all exact. */
export const image = Float32Array.of(1, 0);
export const matrix = rows([0.5, 0.125, -0.25]);
export const labels = ['fox', 'bear', 'owl'];

export function rows(cosines: number[]): LabelMatrix {
  const data = Float32Array.from(cosines.flatMap((cosine) => [cosine, Math.sqrt(1 - cosine * cosine)]));
  return { data, labels: cosines.length, dimensions: 2 };
}

/** A way to rank, and how far its scores may be from the formula's. */
export interface Way {
  name: string;
  tolerance: number;
  rank(embedding: Float32Array, matrix: LabelMatrix, set: LabelSet, scoring: Scoring): Promise<Prediction[]>;
}

const scorers = new Map<string, Scorer>();

/** A scoring thread for each scoring. */
function scorerOf(scoring: Scoring): Scorer {
  const key = JSON.stringify(scoring);
  const scorer = scorers.get(key) ?? createScorer({ scoring });
  scorers.set(key, scorer);
  return scorer;
}

after(() => Promise.all([...scorers.values()].map((scorer) => scorer.close())));

/** What one does must be what the other does, but for the rounding of float32. */
export const ways: Way[] = [
  { name: 'rank', tolerance: 1e-12, rank: async (...args) => rank(...args) },
  {
    name: 'the scoring thread',
    tolerance: 2e-6,
    async rank(embedding, matrix, labelSet, scoring) {
      return nameLabels(await scorerOf(scoring).rankImage(embedding, { labelSet, matrix }), labelSet.labels);
    },
  },
];

export function ranked(way: Way, input: LabelSetInput, scoring: Scoring = clip, of: LabelMatrix = matrix) {
  return way.rank(image, of, defineLabelSet(input), scoring);
}

export function close(way: Way, actual: number | undefined, expected: number): void {
  assert.ok(Math.abs(actual! - expected) <= way.tolerance, `${actual} is not ${expected}`);
}

export function assertScores(
  way: Way,
  predictions: { label: string; score: number }[],
  expected: [string, number][],
): void {
  assert.deepEqual(
    predictions.map(({ label }) => label),
    expected.map(([label]) => label),
  );
  for (const [index, [, score]] of expected.entries()) close(way, predictions[index]!.score, score);
}
