import { openModel } from '../src/classifier.ts';
import { defineLabelSet } from '../src/shared/labels/labelSet.ts';
import { text } from '../src/shared/options/option.ts';
import { buildLabelMatrix } from '../src/worker/labels/labelMatrix.ts';
import { rankLabels, type Scoring } from '../src/worker/score/rank.ts';
import { createScorer, type ScoredLabels } from '../src/worker/score/scorer.ts';
import { argument, defineBench, table } from './bench.ts';
import { sessionAlone } from './ceilings.ts';
import { counts, rounds, threads } from './commonArguments.ts';
import { format, spreadOf } from './spread.ts';

/** Few labels are too short to be timed alone. */
const SCORING_MS = 20;
const SESSION_MS = 200;
/** Images that go through the session together. */
const SESSION_BATCH = 16;
const scale: Scoring = { logitScale: 100, logitBias: 0, scoreFunction: 'softmax' };

const says = `Ranking images by a label set, the best 5 labels of a softmax: \`rankLabels\` on the calling thread, and the scoring thread, which
has one core, given so many images together. Microseconds an image. *session* is what an image takes of the wall clock in the model's
vision session, in batches of ${SESSION_BATCH}, with its threads; *÷ session* is what ranking costs beside that, on the scoring thread. A worker does
both at once. All lines take turns in each round. Median of the rounds (smallest to largest); ratios are taken within a round.`;

export const scoring = defineBench({
  title: 'Ranking labels, beside the inference of an image',
  says,
  arguments: {
    model: argument({
      schema: text,
      default: 'models/demo',
      says: 'Model directory: its session and its dimensions.',
    }),
    labels: counts('10,100,1000,21000', 'Labels of a set.'),
    batches: counts('1,16', 'Images that are ranked together.'),
    threads,
    rounds: { ...rounds, default: '15' },
  },
  packages: ['onnxruntime-node'],
  async run({ model, labels, batches, threads, rounds }, bed) {
    const opened = await openModel({ model, device: 'cpu', threads, logitScale: 100, logitBias: 0 });
    bed.after(() => opened.close());
    const scorer = createScorer({ scoring: scale });
    bed.after(() => scorer.close());
    const { dimensions } = opened.session;
    const lines = labels.flatMap((count) => {
      const set = labelsOf(count, dimensions);
      return batches.map((batch) => ({ count, batch, set, measured: [] as Times[] }));
    });
    const sessions: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      bed.say(`round ${round} of ${rounds}`);
      const { rate } = await sessionAlone(opened, SESSION_BATCH, {
        images: 2 * SESSION_BATCH,
        ms: SESSION_MS,
      });
      const session = 1e6 / rate;
      if (round > 0) sessions.push(session);
      for (const { batch, set, measured } of lines) {
        const images = Array.from({ length: batch }, () => noise(dimensions).map((value) => value / 13));
        const here = await microseconds(batch, async () => {
          for (const image of images) rankLabels(image, set.matrix, set.labelSet, scale);
        });
        const there = await microseconds(batch, () =>
          Promise.all(images.map((image) => scorer.rankImage(image, set))),
        );
        // The first round warms up.
        if (round > 0) measured.push({ here, there, session });
      }
    }
    const rows = lines.map(({ count, batch, measured }) => {
      const column = (of: (times: Times) => number, digits = 1) => format(spreadOf(measured.map(of)), digits);
      return [
        `${count}`,
        `${batch}`,
        column(({ here }) => here),
        column(({ there }) => there),
        column(({ here, there }) => here / there, 2),
        column(({ there, session }) => there / session, 3),
      ];
    });
    const header = ['labels', 'images', 'rankLabels', 'scoring thread', 'rankLabels ÷ thread', '÷ session'];
    const how = `${dimensions} dimensions, ${rounds} rounds. *session* of ${opened.identity}, ${threads} threads: ${format(spreadOf(sessions), 0)}.`;
    return [table(header, rows), how].join('\n\n');
  },
});

/** Microseconds an image. */
interface Times {
  here: number;
  there: number;
  session: number;
}

function labelsOf(count: number, dimensions: number): ScoredLabels {
  const names = Array.from({ length: count }, (_, i) => `label ${i}`);
  const matrix = buildLabelMatrix(noise(count * dimensions), Array<number>(count).fill(1), dimensions);
  return { labelSet: defineLabelSet({ labels: names, topK: 5 }), matrix };
}

async function microseconds(images: number, work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  let times = 0;
  do {
    await work();
    times++;
  } while (performance.now() - start < SCORING_MS);
  return ((performance.now() - start) * 1_000) / (times * images);
}

function noise(count: number): Float32Array {
  return Float32Array.from({ length: count }, () => Math.random() - 0.5);
}
