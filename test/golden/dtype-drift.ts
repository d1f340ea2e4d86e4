/**
 * Prints, per number format, how far our answers are from Python's fp32 ones: models/demo over examples/pictures.
 *
 *     node dist/test/golden/dtype-drift.js FOLDER        FOLDER as test/golden/make_dtypes.py wrote it
 *
 * Embeddings are made of the golden's own pixels, so that what they differ by is the format and nothing else; scores are
 * made of the image files, as a user gets them, one image at a time, and then of all together.
 */

import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  ClipfleetError,
  createClassifier,
  defineLabelSet,
  type OpenedModel,
  type Pixels,
  promptsOf,
  rank,
} from '../../src/classifier.ts';
import { encodeLabels } from '../../src/worker/labels/encodeLabels.ts';
import { type Dtype, dtypeSuffix } from '../../src/worker/onnx/dtype.ts';
import { repository } from '../support/fleet.ts';
import { type Golden, readGolden } from '../support/goldens.ts';
import { agreementOf, inFigures, scoresIn } from './agreement.ts';

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
    'scores: largest, mean | same best label | alone against 16 together |\n|---|---|---|---|---|---|---|',
);
for (const { model, dtype, called } of formats) {
  const cells = await measure(join(folder, model), dtype).catch((error: unknown) => {
    if (!(error instanceof ClipfleetError)) throw error;
    return [`${error.code}: ${error.message.split(', got: ').at(-1)}`, '', '', '', '', ''];
  });
  console.log(`| ${called} | ${cells.join(' | ')} |`);
}

async function measure(dir: string, dtype: Dtype): Promise<string[]> {
  const { model, close } = await createClassifier({ model: dir, dtype });
  try {
    const labelSet = defineLabelSet({ labels: set.labels, templates: set.templates });
    const { matrix } = await encodeLabels(model.session.embedTexts, labelSet);
    const scoresOf = (embedding: Float32Array) =>
      scoresIn(set.labels, rank(embedding, matrix, labelSet, model.scoring));
    const [given, read] = [golden.images.map((_, i) => goldenPixels(i)), await pixelsOfFiles(model)];
    const alone: Float32Array[] = [];
    for (const pixels of read) alone.push(...(await model.embedImages([pixels])));
    const together = (await model.embedImages(read)).map(scoresOf);
    const theirs = set.results.map(({ scores }) => scores);
    const { largest, mean, best } = agreementOf(alone.map(scoresOf), theirs);
    return [
      `${(await bytesOf(dir, dtype)).toFixed(1)} MB`,
      distances(await model.embedImages(given), 0, golden),
      distances(await model.embedTexts(promptsOf(labelSet).flat()), set.textRow, golden),
      `${inFigures(largest)}, ${inFigures(mean)}`,
      `${best} of ${read.length}`,
      agreementOf(together, alone.map(scoresOf)).largest.toFixed(4),
    ];
  } finally {
    await close();
  }
}

function goldenPixels(image: number): Pixels {
  return { data: golden.pixels(image), width: golden.width, height: golden.height };
}

async function pixelsOfFiles(model: OpenedModel): Promise<Pixels[]> {
  const pixels: Pixels[] = [];
  for (const { file } of golden.images) {
    pixels.push(await model.processImage(await readFile(join(repository, golden.imageDir, file))));
  }
  return pixels;
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
