import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defineLabelSet } from '../src/shared/labelSet.ts';
import { buildLabelMatrix, type LabelMatrix, unit } from '../src/worker/labelMatrix.ts';
import { rank } from '../src/worker/rank.ts';
import { assertScores, clip, close, image, labels, matrix, ranked, rows, siglip } from './threeLabels.ts';

/** A small generator with a seed, so that a failure can be seen again (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function randomVectors(seed: number, count: number, dimensions: number): Float32Array {
  const next = randomNumbers(seed);
  return Float32Array.from({ length: count * dimensions }, () => next() - 0.5);
}

describe('what is reported', () => {
  test('a negative label takes its probability and is not named, even as the best', () => {
    const withNegative = ranked({ labels: [{ label: 'fox', negative: true }, 'bear', 'owl'] });
    assertScores(withNegative, [
      ['bear', 0.02296496019793418],
      ['owl', 0.0005400840975283807],
    ]);
  });

  test("a label's threshold goes before the set's, and a score on it is reported", () => {
    const scoreFunction = 'cosine';
    assertScores(ranked({ labels, scoreFunction, threshold: 0.125 }), [
      ['fox', 0.5],
      ['bear', 0.125],
    ]);
    const own = [{ label: 'fox', threshold: 0.6 }, 'bear', { label: 'owl', threshold: -0.25 }];
    assertScores(ranked({ labels: own, scoreFunction, threshold: 0.125 }), [
      ['bear', 0.125],
      ['owl', -0.25],
    ]);
  });

  test('nothing above its threshold is an empty answer', () => {
    assert.deepEqual(ranked({ labels, threshold: 1 }), []);
  });

  test('topK counts what negatives and thresholds leave', () => {
    const input = { scoreFunction: 'cosine', topK: 1 } as const;
    assertScores(ranked({ ...input, labels }), [['fox', 0.5]]);
    assertScores(ranked({ ...input, labels: [{ label: 'fox', negative: true }, 'bear', 'owl'] }), [
      ['bear', 0.125],
    ]);
    assert.equal(ranked({ ...input, labels, topK: 99 }).length, 3);
  });

  test("equal scores stand in the set's order, with topK too", () => {
    const tied = rows([0.25, 0.5, 0.25, 0.5, 0.25]);
    const names = (topK?: number) =>
      ranked({ labels: ['d', 'c', 'b', 'a', 'e'], ...(topK && { topK }) }, clip, tied).map((p) => p.label);
    assert.deepEqual(names(), ['c', 'a', 'd', 'b', 'e']);
    for (const topK of [1, 2, 3, 4]) assert.deepEqual(names(topK), ['c', 'a', 'd', 'b', 'e'].slice(0, topK));
  });
});

describe('for any embeddings', () => {
  // An odd number of labels and of dimensions, so that nothing falls on a whole block.
  const [count, dimensions] = [203, 37];
  const counts = Array<number>(count).fill(1);
  const random = buildLabelMatrix(randomVectors(1, count, dimensions), counts, dimensions);
  const embedding = unit(randomVectors(2, 1, dimensions));
  const names = counts.map((_, index) => `label ${index}`);

  test('each cosine is the dot product of its row', () => {
    const set = defineLabelSet({ labels: names, scoreFunction: 'cosine' });
    for (const { label, score } of rank(embedding, random, set, clip)) {
      const row = names.indexOf(label) * dimensions;
      close(
        score,
        embedding.reduce((sum, value, i) => sum + value * random.data[row + i]!, 0),
      );
    }
  });

  test('softmax sums to 1, negatives included', () => {
    const all = rank(embedding, random, defineLabelSet({ labels: names }), { ...clip, logitScale: 100 });
    close(
      all.reduce((sum, { score }) => sum + score, 0),
      1,
    );
    const some = names.map((label, index) => ({ label, negative: index % 3 === 0 }));
    const reported = rank(embedding, random, defineLabelSet({ labels: some }), { ...clip, logitScale: 100 });
    assert.deepEqual(
      reported,
      all.filter(({ label }) => names.indexOf(label) % 3 !== 0),
    );
  });

  test('another order of the labels changes no score', () => {
    const order = names.map((_, index) => (index * 11) % count);
    const data = Float32Array.from(
      order.flatMap((from) => [...random.data.subarray(from * dimensions, (from + 1) * dimensions)]),
    );
    const scoresOf = (of: LabelMatrix, inOrder: string[]) =>
      rank(embedding, of, defineLabelSet({ labels: inOrder }), siglip);
    const permuted = scoresOf(
      { ...random, data },
      order.map((from) => names[from]!),
    );
    assert.deepEqual(permuted, scoresOf(random, names));
  });

  test('topK is the beginning of the whole ranking', () => {
    const whole = rank(embedding, random, defineLabelSet({ labels: names }), clip);
    for (const topK of [1, 2, 5, 100, 202, 203, 204]) {
      const top = rank(embedding, random, defineLabelSet({ labels: names, topK }), clip);
      assert.deepEqual(top, whole.slice(0, topK));
    }
  });
});

describe('refused', () => {
  test('sizes that do not belong together', () => {
    assert.throws(() => ranked({ labels: ['fox', 'bear'] }), { code: 'INTERNAL' });
    const set = defineLabelSet({ labels });
    assert.throws(() => rank(Float32Array.of(1, 0, 0), matrix, set, clip), { code: 'INTERNAL' });
    assert.throws(() => rank(image, { ...matrix, data: matrix.data.subarray(1) }, set, clip), {
      code: 'INTERNAL',
    });
  });

  test('an embedding that is not finite', () => {
    const broken = Float32Array.of(Number.NaN, 0);
    assert.throws(() => rank(broken, matrix, defineLabelSet({ labels }), clip), { code: 'INFERENCE_FAILED' });
  });
});
