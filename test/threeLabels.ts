import assert from 'node:assert/strict';
import { defineLabelSet, type LabelSetInput } from '../src/shared/labelSet.ts';
import type { LabelMatrix } from '../src/worker/labelMatrix.ts';
import { rank, type Scoring } from '../src/worker/rank.ts';

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

export function ranked(input: LabelSetInput, scoring: Scoring = clip, of: LabelMatrix = matrix) {
  return rank(image, of, defineLabelSet(input), scoring);
}

export function close(actual: number | undefined, expected: number): void {
  assert.ok(Math.abs(actual! - expected) < 1e-12, `${actual} is not ${expected}`);
}

export function assertScores(
  predictions: { label: string; score: number }[],
  expected: [string, number][],
): void {
  assert.deepEqual(
    predictions.map(({ label }) => label),
    expected.map(([label]) => label),
  );
  for (const [index, [, score]] of expected.entries()) close(predictions[index]!.score, score);
}
