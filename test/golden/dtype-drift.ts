/**
 * Prints, per number format, how far our answers are from Python's fp32 ones: models/demo over examples/pictures.
 *
 *     node dist/test/golden/dtype-drift.js FOLDER        FOLDER as test/golden/make_dtypes.py wrote it
 *
 * Embeddings are made of the golden's own pixels, so that what they differ by is the format and nothing else; scores are
 * made of the image files, as a user gets them.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ClipfleetError, createClassifier } from '../../src/classifier.ts';
import { type Dtype, dtypeSuffix } from '../../src/worker/dtype.ts';
import { repository } from '../fleet.ts';
import { type Golden, readGolden } from '../goldens.ts';
import { agreementOf } from './agreement.ts';

const folder = process.argv[2];
if (folder === undefined) throw new Error('Expected the folder that make_dtypes.py wrote.');

const formats: { model: string; dtype: Dtype; called: string }[] = [
  { model: 'demo', dtype: 'fp32', called: 'fp32' },
  { model: 'demo', dtype: 'fp16', called: 'fp16' },
  { model: 'demo-half-io', dtype: 'fp16', called: 'fp16, inputs and outputs too' },
  ...(['q8', 'uint8', 'int8', 'q4', 'q4f16', 'bnb4'] as const).map((dtype) => ({
    model: 'demo',
    dtype,
    called: dtype,
  })),
];

const golden = await readGolden('demo');
const set = golden.labelSets.find(({ name }) => name === 'pictures')!;

console.log(
  '| dtype | both towers | image embeddings: largest, mean | text embeddings: largest, mean | ' +
    'scores: largest, mean | top-1 as Python |\n|---|---|---|---|---|---|',
);
for (const { model, dtype, called } of formats) {
  const cells = await measure(join(folder, model), dtype).catch((error: unknown) => {
    if (!(error instanceof ClipfleetError)) throw error;
    return [`${error.code}: ${error.message.split(', got: ').at(-1)}`, '', '', '', ''];
  });
  console.log(`| ${called} | ${cells.join(' | ')} |`);
}

async function measure(dir: string, dtype: Dtype): Promise<string[]> {
  const classifier = await createClassifier({ model: dir, dtype });
  try {
    const { width, height, images } = golden;
    const pixels = images.map((_, i) => ({ data: golden.pixels(i), width, height }));
    const prompts = set.labels.map((label) => set.templates[0]!.replace('{}', () => label));
    const files = images.map(({ file }) => join(repository, golden.imageDir, file));
    const ranked = await classifier.classify(files, set.labels, { hypothesisTemplate: set.templates });
    const scores = ranked.map((predictions) => scoresIn(set.labels, predictions));
    const { largest, mean, best } = agreementOf(
      scores,
      set.results.map((result) => result.scores),
    );
    return [
      `${(await bytesOf(dir, dtype)).toFixed(1)} MB`,
      distances(await classifier.model.embedImages(pixels), 0, golden),
      distances(await classifier.model.embedTexts(prompts), set.textRow, golden),
      `${largest.toFixed(4)}, ${mean.toFixed(4)}`,
      `${best} of ${images.length}`,
    ];
  } finally {
    await classifier.close();
  }
}

function scoresIn(labels: string[], predictions: { label: string; score: number }[]): number[] {
  const scoreOf = new Map(predictions.map(({ label, score }) => [label, score]));
  return labels.map((label) => scoreOf.get(label)!);
}

/** Cosine distances to the golden's unit vectors from `row` on. */
function distances(rows: Float32Array[], row: number, { vector }: Golden): string {
  const each = rows.map((ours, i) => {
    const theirs = vector(row + i);
    return Math.max(0, 1 - ours.reduce((sum, value, d) => sum + value * theirs[d]!, 0));
  });
  const mean = each.reduce((sum, value) => sum + value, 0) / each.length;
  return `${Math.max(...each).toExponential(1)}, ${mean.toExponential(1)}`;
}

async function bytesOf(dir: string, dtype: Dtype): Promise<number> {
  const graphs = ['vision_model', 'text_model'].map((graph) => `${graph}${dtypeSuffix[dtype]}.onnx`);
  const sizes = await Promise.all(graphs.map(async (graph) => (await stat(join(dir, 'onnx', graph))).size));
  return sizes.reduce((sum, size) => sum + size, 0) / 1e6;
}
