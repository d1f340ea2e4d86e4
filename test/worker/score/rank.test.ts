import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defineLabelSet } from '../../../src/shared/labels/labelSet.ts';
import { buildLabelMatrix, type LabelMatrix } from '../../../src/worker/labels/labelMatrix.ts';
import { unit } from '../../../src/worker/onnx/vectors.ts';
import { randomVectors } from '../../support/randomVectors.ts';
import {
  assertScores,
  clip,
  close,
  image,
  labels,
  matrix,
  ranked,
  rows,
  siglip,
  ways,
} from '../../support/threeLabels.ts';

for (const way of ways) {
  describe(`what ${way.name} reports`, () => {
    test('a negative label takes its probability and is not named, even as the best', async () => {
      const withNegative = await ranked(way, { labels: [{ label: 'fox', negative: true }, 'bear', 'owl'] });
      assertScores(way, withNegative, [
        ['bear', 0.02296496019793418],
        ['owl', 0.0005400840975283807],
      ]);
    });

    test("a label's threshold goes before the set's, and a score on it is reported", async () => {
      const scoreFunction = 'cosine';
      assertScores(way, await ranked(way, { labels, scoreFunction, threshold: 0.125 }), [
        ['fox', 0.5],
        ['bear', 0.125],
      ]);
      const own = [{ label: 'fox', threshold: 0.6 }, 'bear', { label: 'owl', threshold: -0.25 }];
      assertScores(way, await ranked(way, { labels: own, scoreFunction, threshold: 0.125 }), [
        ['bear', 0.125],
        ['owl', -0.25],
      ]);
    });

    test('nothing above its threshold is an empty answer', async () => {
      assert.deepEqual(await ranked(way, { labels, threshold: 1 }), []);
    });

    test('topK counts what negatives and thresholds leave', async () => {
      const input = { scoreFunction: 'cosine', topK: 1 } as const;
      assertScores(way, await ranked(way, { ...input, labels }), [['fox', 0.5]]);
      assertScores(
        way,
        await ranked(way, { ...input, labels: [{ label: 'fox', negative: true }, 'bear', 'owl'] }),
        [['bear', 0.125]],
      );
      assert.equal((await ranked(way, { ...input, labels, topK: 99 })).length, 3);
    });

    test("equal scores stand in the set's order, with topK too", async () => {
      const tied = rows([0.25, 0.5, 0.25, 0.5, 0.25]);
      const order = ['c', 'a', 'd', 'b', 'e'];
      for (const topK of [undefined, 1, 2, 3, 4]) {
        const input = { labels: ['d', 'c', 'b', 'a', 'e'], ...(topK && { topK }) };
        const names = (await ranked(way, input, clip, tied)).map(({ label }) => label);
        assert.deepEqual(names, order.slice(0, topK));
      }
    });
  });

  describe(`${way.name}, for any embeddings`, () => {
    // An odd number of labels and of dimensions, so that nothing falls on a whole block.
    const [count, dimensions] = [203, 37];
    const counts = Array<number>(count).fill(1);
    const random = buildLabelMatrix(randomVectors(1, count, dimensions), counts, dimensions);
    const embedding = unit(randomVectors(2, 1, dimensions));
    const names = counts.map((_, index) => `label ${index}`);

    test('each cosine is the dot product of its row', async () => {
      const set = defineLabelSet({ labels: names, scoreFunction: 'cosine' });
      for (const { label, score } of await way.rank(embedding, random, set, clip)) {
        const row = names.indexOf(label) * dimensions;
        close(
          way,
          score,
          embedding.reduce((sum, value, i) => sum + value * random.data[row + i]!, 0),
        );
      }
    });

    test('softmax sums to 1, negatives included', async () => {
      const all = await way.rank(embedding, random, defineLabelSet({ labels: names }), {
        ...clip,
        logitScale: 100,
      });
      close(
        way,
        all.reduce((sum, { score }) => sum + score, 0),
        1,
      );
      const some = names.map((label, index) => ({ label, negative: index % 3 === 0 }));
      const reported = await way.rank(embedding, random, defineLabelSet({ labels: some }), {
        ...clip,
        logitScale: 100,
      });
      assert.deepEqual(
        reported,
        all.filter(({ label }) => names.indexOf(label) % 3 !== 0),
      );
    });

    test('another order of the labels changes no score', async () => {
      const order = names.map((_, index) => (index * 11) % count);
      const data = Float32Array.from(
        order.flatMap((from) => [...random.data.subarray(from * dimensions, (from + 1) * dimensions)]),
      );
      const scoresOf = (of: LabelMatrix, inOrder: string[]) =>
        way.rank(embedding, of, defineLabelSet({ labels: inOrder }), siglip);
      const permuted = await scoresOf(
        { ...random, data },
        order.map((from) => names[from]!),
      );
      assertScores(
        way,
        permuted,
        (await scoresOf(random, names)).map(({ label, score }) => [label, score]),
      );
    });

    test('topK is the beginning of the whole ranking', async () => {
      const whole = await way.rank(embedding, random, defineLabelSet({ labels: names }), clip);
      for (const topK of [1, 2, 5, 100, 202, 203, 204]) {
        const top = await way.rank(embedding, random, defineLabelSet({ labels: names, topK }), clip);
        assert.deepEqual(top, whole.slice(0, topK));
      }
    });
  });

  describe(`refused by ${way.name}`, () => {
    test('sizes that do not belong together', async () => {
      await assert.rejects(ranked(way, { labels: ['fox', 'bear'] }), { code: 'INTERNAL' });
      const set = defineLabelSet({ labels });
      await assert.rejects(way.rank(Float32Array.of(1, 0, 0), matrix, set, clip), { code: 'INTERNAL' });
      await assert.rejects(way.rank(image, { ...matrix, data: matrix.data.subarray(1) }, set, clip), {
        code: 'INTERNAL',
      });
    });

    test('an embedding that is not finite', async () => {
      const broken = Float32Array.of(Number.NaN, 0);
      await assert.rejects(way.rank(broken, matrix, defineLabelSet({ labels }), clip), {
        code: 'INFERENCE_FAILED',
      });
    });
  });
}
