import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LabelSetInput } from '../../../src/shared/labels/labelSet.ts';
import { assertScores, clip, labels, ranked, rows, siglip, ways } from '../../support/threeLabels.ts';

for (const way of ways) {
  describe(`the scores of ${way.name}`, () => {
    // Logits 5, 1.25 and -2.5; e^5 = 148.413159…, e^1.25 = 3.490342…, e^-2.5 = 0.082084…, together 151.985587….
    test('softmax over the scaled cosines', async () => {
      assertScores(way, await ranked(way, { labels }), [
        ['fox', 0.9764949557045373],
        ['bear', 0.02296496019793418],
        ['owl', 0.0005400840975283807],
      ]);
    });

    test('a bias moves all logits and no softmax', async () => {
      const plain = await ranked(way, { labels });
      const moved = await ranked(way, { labels }, { ...clip, logitBias: -5 });
      assertScores(
        way,
        moved,
        plain.map(({ label, score }) => [label, score]),
      );
    });

    // Logits 0, -3.75 and -7.5: 1 / (1 + e^0), 1 / (1 + e^3.75), 1 / (1 + e^7.5).
    test('sigmoid of each scaled and biased cosine by itself', async () => {
      assertScores(way, await ranked(way, { labels }, siglip), [
        ['fox', 0.5],
        ['bear', 0.022977369910025615],
        ['owl', 0.0005527786369235996],
      ]);
    });

    test('raw cosines and raw logits', async () => {
      assertScores(way, await ranked(way, { labels, scoreFunction: 'cosine' }, siglip), [
        ['fox', 0.5],
        ['bear', 0.125],
        ['owl', -0.25],
      ]);
      assertScores(way, await ranked(way, { labels, scoreFunction: 'logit' }, siglip), [
        ['fox', 0],
        ['bear', -3.75],
        ['owl', -7.5],
      ]);
    });

    test("the label set's function goes before the model's", async () => {
      assertScores(
        way,
        await ranked(way, { labels: ['fox'], scoreFunction: 'softmax' }, siglip, rows([0.5])),
        [['fox', 1]],
      );
      assertScores(way, await ranked(way, { labels: ['fox'], scoreFunction: 'sigmoid' }, clip, rows([0])), [
        ['fox', 0.5],
      ]);
    });

    // e^2.5, e^0.625 and e^-1.25; 1 / (1 + e^1.875) and 1 / (1 + e^3.75).
    test('a temperature of 2 halves the whole logit, bias included', async () => {
      assertScores(way, await ranked(way, { labels, temperature: 2 }), [
        ['fox', 0.8497095643461624],
        ['bear', 0.13030718206812433],
        ['owl', 0.019983253585713266],
      ]);
      assertScores(way, await ranked(way, { labels, temperature: 2 }, siglip), [
        ['fox', 0.5],
        ['bear', 0.13296424019782926],
        ['owl', 0.022977369910025615],
      ]);
    });

    test('raw cosines and logits know no temperature', async () => {
      for (const scoreFunction of ['cosine', 'logit'] as const) {
        assert.deepEqual(
          await ranked(way, { labels, scoreFunction, temperature: 2 }),
          await ranked(way, { labels, scoreFunction }),
        );
      }
    });

    test('logits far beyond the range of exp stay probabilities', async () => {
      const steep = { ...clip, logitScale: 1e6 };
      assertScores(way, await ranked(way, { labels }, steep), [
        ['fox', 1],
        ['bear', 0],
        ['owl', 0],
      ]);
      assertScores(way, await ranked(way, { labels, temperature: 1e-300 }, { ...siglip, logitScale: 1e6 }), [
        ['fox', 1],
        ['bear', 1],
        ['owl', 0],
      ]);
      assertScores(way, await ranked(way, { labels, temperature: 1e-300 }), [
        ['fox', 1],
        ['bear', 0],
        ['owl', 0],
      ]);
    });

    test('logit and cosine stand in the answer when asked for, and only then', async () => {
      const keysOf = async (input: LabelSetInput) => Object.keys((await ranked(way, input))[0]!);
      assert.deepEqual(await keysOf({ labels }), ['label', 'score']);
      assert.deepEqual(await keysOf({ labels, outputs: ['cosine'] }), ['label', 'score', 'cosine']);
      const [fox, bear] = await ranked(
        way,
        { labels, outputs: ['logit', 'cosine'] },
        { ...siglip, logitBias: -1 },
      );
      assert.deepEqual({ ...fox, score: 0 }, { label: 'fox', score: 0, logit: 4, cosine: 0.5 });
      assert.deepEqual({ ...bear, score: 0 }, { label: 'bear', score: 0, logit: 0.25, cosine: 0.125 });
    });
  });
}
