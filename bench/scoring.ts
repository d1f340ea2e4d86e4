// What it costs to rank one image by a label set: `rankLabels` on the calling thread beside the scoring thread.
//   node dist/bench/scoring.js
// Both take turns in each round. Embeddings have 512 dimensions, the best 5 labels are reported.
import { defineLabelSet } from '../src/shared/labelSet.ts';
import { buildLabelMatrix } from '../src/worker/labelMatrix.ts';
import { rankLabels, type Scoring } from '../src/worker/rank.ts';
import { createScorer } from '../src/worker/scorer.ts';
import { describeMachine } from './machine.ts';
import { format, spreadOf } from './spread.ts';

const ROUNDS = 15;
/** A round of a few labels is too short to be timed alone. */
const ROUND_MS = 20;
const LABELS = [10, 100, 1_000, 21_000];
const BATCHES = [1, 16];
const DIMENSIONS = 512;
const scoring: Scoring = { logitScale: 100, logitBias: 0, scoreFunction: 'softmax' };

const scorer = createScorer({ scoring });
console.log('| labels | batch | rankLabels, µs an image | scoring thread, µs an image | ratio |');
console.log('|---|---|---|---|---|');
for (const count of LABELS) {
  const names = Array.from({ length: count }, (_, i) => `label ${i}`);
  const matrix = buildLabelMatrix(noise(count), Array<number>(count).fill(1), DIMENSIONS);
  const labels = { labelSet: defineLabelSet({ labels: names, topK: 5 }), matrix };
  for (const batch of BATCHES) {
    const images = Array.from({ length: batch }, () => noise(1).map((value) => value / 13));
    const times: [number, number][] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const here = await timeOf(batch, async () => {
        for (const image of images) rankLabels(image, matrix, labels.labelSet, scoring);
      });
      const there = await timeOf(batch, () =>
        Promise.all(images.map((image) => scorer.rankImage(image, labels))),
      );
      // The first round warms up.
      if (round > 0) times.push([here, there]);
    }
    const column = (of: (pair: [number, number]) => number, digits?: number) =>
      format(spreadOf(times.map(of)), digits);
    const cells = [column(([here]) => here), column(([, there]) => there), column(([a, b]) => a / b, 2)];
    console.log(`| ${count} | ${batch} | ${cells.join(' | ')} |`);
  }
}
await scorer.close();
const machine = describeMachine(['onnxruntime-node']);
console.log(`\n× ${DIMENSIONS} dimensions, median of ${ROUNDS} rounds (smallest to largest). ${machine}.`);

/** Microseconds an image. */
async function timeOf(batch: number, work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  let times = 0;
  do {
    await work();
    times++;
  } while (performance.now() - start < ROUND_MS);
  return ((performance.now() - start) * 1_000) / (times * batch);
}

function noise(count: number): Float32Array {
  return Float32Array.from({ length: count * DIMENSIONS }, () => Math.random() - 0.5);
}
