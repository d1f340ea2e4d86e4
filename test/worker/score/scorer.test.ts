import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { defineLabelSet, type LabelSetInput } from '../../../src/shared/labels/labelSet.ts';
import type { RankedLabel } from '../../../src/shared/rows/prediction.ts';
import { buildLabelMatrix } from '../../../src/worker/labels/labelMatrix.ts';
import { unit } from '../../../src/worker/onnx/vectors.ts';
import { rankLabels, type Scoring } from '../../../src/worker/score/rank.ts';
import { createScorer, type ScorerOptions } from '../../../src/worker/score/scorer.ts';
import { randomVectors } from '../../support/randomVectors.ts';

const clip: Scoring = { logitScale: 100, logitBias: 0, scoreFunction: 'softmax' };
const siglip: Scoring = { logitScale: 117.3, logitBias: -12.9, scoreFunction: 'sigmoid' };

// Nothing that falls on a whole block.
const dimensions = 67;

function open(t: TestContext, options: Partial<ScorerOptions> = {}) {
  const products: number[] = [];
  const scorer = createScorer({ scoring: clip, onProduct: (images) => products.push(images), ...options });
  t.after(() => scorer.close());
  return { ...scorer, products };
}

function labelsOf(seed: number, count: number, input: Partial<LabelSetInput> = {}) {
  const labels = Array.from({ length: count }, (_, i) => `label ${i}`);
  const counts = Array<number>(count).fill(1);
  return {
    labelSet: defineLabelSet({ labels, ...input }),
    matrix: buildLabelMatrix(randomVectors(seed, count, dimensions), counts, dimensions),
  };
}

function imagesOf(seed: number, count: number): Float32Array[] {
  return Array.from({ length: count }, (_, i) => unit(randomVectors(seed + i, 1, dimensions)));
}

/** What float32 makes of a cosine, which the scale makes larger on its way into exp. */
const COSINE_TOLERANCE = 2e-7;

function assertNear(actual: number, expected: number, relative: number): void {
  const difference = Math.abs(actual - expected);
  assert.ok(difference <= relative * Math.abs(expected) + 1e-37, `${actual} is not ${expected}`);
}

const functions: { name: string; scoring: Scoring; input: Partial<LabelSetInput> }[] = [
  { name: 'softmax', scoring: clip, input: { outputs: ['logit', 'cosine'] } },
  { name: 'softmax, tempered', scoring: clip, input: { temperature: 2.5 } },
  { name: 'sigmoid', scoring: siglip, input: { outputs: ['cosine'] } },
  { name: 'sigmoid, tempered', scoring: siglip, input: { temperature: 0.7 } },
];

for (const { name, scoring, input } of functions) {
  test(`${name} of random images and labels is what rank makes of them`, async (t) => {
    const scorer = open(t, { scoring });
    const logitTolerance = COSINE_TOLERANCE * scoring.logitScale;
    // Of each score, however small it is.
    const tolerance = logitTolerance / (input.temperature ?? 1) + 1e-6;
    const labels = labelsOf(1, 1_003, input);
    for (const image of imagesOf(100, 9)) {
      const expected = rankLabels(image, labels.matrix, labels.labelSet, scoring);
      const byIndex = new Map(expected.map((label) => [label.index, label]));
      const actual = await scorer.rankImage(image, labels);
      assert.equal(new Set(actual.map(({ index }) => index)).size, 1_003);
      for (const [place, label] of actual.entries()) {
        const own = byIndex.get(label.index)!;
        assertNear(label.score, own.score, tolerance);
        // Where two labels are that near, either may stand first.
        assertNear(label.score, expected[place]!.score, tolerance);
        assert.deepEqual(Object.keys(label), Object.keys(own));
        const { logit = 0, cosine = 0 } = label;
        assert.ok(Math.abs(logit - (own.logit ?? 0)) <= logitTolerance, `${logit} is not ${own.logit}`);
        assert.ok(Math.abs(cosine - (own.cosine ?? 0)) <= COSINE_TOLERANCE, `${cosine} is not ${own.cosine}`);
      }
    }
  });
}

test('a score that float32 cannot tell from its threshold is not reported below it', async (t) => {
  const scorer = open(t);
  const [image] = imagesOf(200, 1);
  const { matrix, labelSet } = labelsOf(2, 5, { scoreFunction: 'cosine' });
  const of = (threshold: number) => ({ matrix, labelSet: { ...labelSet, threshold } });
  const all = await scorer.rankImage(image!, { matrix, labelSet });
  for (const { score } of all) {
    const scoresFrom = async (threshold: number) =>
      (await scorer.rankImage(image!, of(threshold))).map((label) => label.score);
    const down = all.map((label) => label.score).filter((other) => other >= score);
    assert.deepEqual(await scoresFrom(score), down);
    assert.deepEqual(await scoresFrom(score - 1e-12), down);
    assert.deepEqual(await scoresFrom(score + 1e-12), down.slice(0, -1));
  }
});

test('what comes in one turn of the event loop is one product for each label set', async (t) => {
  const scorer = open(t);
  const [few, many] = [labelsOf(3, 4), labelsOf(4, 50, { topK: 3 })];
  const images = imagesOf(300, 16);
  const asked = images.map((image, i) => scorer.rankImage(image, i % 4 === 0 ? few : many));
  const answers = await Promise.all(asked);
  assert.deepEqual(scorer.products, [4, 12]);
  for (const [i, answer] of answers.entries()) {
    const { matrix, labelSet } = i % 4 === 0 ? few : many;
    const expected = rankLabels(images[i]!, matrix, labelSet, clip);
    assert.deepEqual(indices(answer), indices(expected), `image ${i} got its own`);
  }
});

test('what comes while a product runs goes in the next', async (t) => {
  const scorer = open(t);
  const labels = labelsOf(5, 20);
  const [first, ...others] = imagesOf(400, 8);
  const one = scorer.rankImage(first!, labels);
  while (scorer.products.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await Promise.all([one, ...others.map((image) => scorer.rankImage(image, labels))]);
  assert.deepEqual(scorer.products, [1, 7]);
});

test('an embedding that is not finite fails its own image and no other', async (t) => {
  const scorer = open(t);
  // With a threshold nothing of it would be left, and an empty answer is an answer.
  const labels = labelsOf(6, 30, { threshold: 0.001, topK: 2 });
  const images = imagesOf(500, 5);
  images[1]![7] = Number.NaN;
  images[3]![66] = Infinity;
  const results = await Promise.allSettled(images.map((image) => scorer.rankImage(image, labels)));
  assert.deepEqual(scorer.products, [5]);
  assert.deepEqual(
    results.map((result) => (result.status === 'rejected' ? result.reason.code : result.value.length > 0)),
    [true, 'INFERENCE_FAILED', true, 'INFERENCE_FAILED', true],
  );
});

test('label sets that were let go are taken again', async (t) => {
  const scorer = open(t, { heldNumbersMax: 25 * dimensions });
  const sets = [labelsOf(7, 20), labelsOf(8, 20), labelsOf(9, 60)];
  const [image] = imagesOf(600, 1);
  for (const labels of [...sets, ...sets]) {
    const expected = rankLabels(image!, labels.matrix, labels.labelSet, clip);
    assert.deepEqual(indices(await scorer.rankImage(image!, labels)), indices(expected));
  }
});

test('the caller’s event loop turns while the thread scores', async (t) => {
  const scorer = open(t);
  const labels = labelsOf(10, 50_000, { topK: 5 });
  const [image] = imagesOf(700, 1);
  await scorer.rankImage(image!, labels);
  let running = true;
  let turns = 0;
  const product = Promise.all(imagesOf(800, 64).map((other) => scorer.rankImage(other, labels))).finally(
    () => {
      running = false;
    },
  );
  while (running) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    turns++;
  }
  await product;
  assert.deepEqual(scorer.products, [1, 64]);
  assert.ok(turns > 10, `${turns} turns of the event loop`);
});

test('what is asked of a closed scorer is refused, and starts no thread', async (t) => {
  const labels = labelsOf(11, 3);
  const [image] = imagesOf(900, 1);
  const never = open(t);
  await never.close();
  await assert.rejects(never.rankImage(image!, labels), { code: 'SESSION_LOST' });
  const scorer = open(t);
  let died = false;
  scorer.died.catch(() => {
    died = true;
  });
  await scorer.rankImage(image!, labels);
  const asked = assert.rejects(scorer.rankImage(image!, labels), { code: 'SESSION_LOST' });
  await scorer.close();
  await asked;
  assert.equal(died, false);
});

function indices(ranked: RankedLabel[]): number[] {
  return ranked.map(({ index }) => index);
}
