import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createClassifier, defineLabelSet, rank } from '../../src/classifier.ts';
import { encodeLabels } from '../../src/worker/labels/encodeLabels.ts';
import { checkpointModel, checkpointsOfModels } from '../support/checkpointGoldens.ts';
import { repository } from '../support/fleet.ts';
import { type Golden, goldenNames, largestDifference, readGolden } from '../support/goldens.ts';

/** Of unit vectors: float32 sums in another order, on the reference's own pixels. */
const EMBEDDING_TOLERANCE = 2e-5;
/** Every label's score, from the reference's own pixels or from a file: all but AVIF agree to the bit. */
const SCORE_TOLERANCE = 1e-5;
/** From an AVIF, whose pixels drift by less than a grey level on average: these models turn that into up to 0.015. */
const AVIF_SCORE_DRIFT = 0.02;

/** Each golden with the model as it lies there, and those with a checkpoint besides with towers built from that. */
const ways = [
  ...goldenNames.map((name) => ({ name, title: name, checkpoint: false })),
  ...checkpointsOfModels.map((name) => ({ name, title: `${name} from its checkpoint`, checkpoint: true })),
];

async function open(t: TestContext, golden: Golden, { name, checkpoint }: (typeof ways)[number]) {
  const model = checkpoint ? await checkpointModel(t, name) : join(repository, golden.modelDir);
  const classifier = await createClassifier({ model });
  t.after(() => classifier.close());
  return classifier;
}

const off = (difference: number, ...where: string[]) => `${where.join(', ')}: off by ${difference}`;

for (const way of ways) {
  const { name, title } = way;
  test(`${title}: scale, bias and score function are the reference's`, async (t) => {
    const golden = await readGolden(name);
    const { scoring } = (await open(t, golden, way)).model;
    assert.ok(Math.abs(scoring.logitScale / golden.logitScale - 1) < 1e-4, `scale ${scoring.logitScale}`);
    assert.ok(Math.abs(scoring.logitBias - golden.logitBias) < 1e-2, `bias ${scoring.logitBias}`);
    assert.equal(scoring.scoreFunction, golden.scoreFunction);
  });

  test(`${title}: from the reference's pixels, embeddings and every label's score are the reference's`, async (t) => {
    const golden = await readGolden(name);
    const { model } = await open(t, golden, way);
    const { width, height, dimensions } = golden;
    const pixels = golden.images.map((_, i) => ({ data: golden.pixels(i), width, height }));
    const embeddings = await model.embedImages(pixels);
    embeddings.forEach((embedding, i) => {
      const difference = largestDifference(embedding, golden.vector(i));
      assert.ok(difference < EMBEDDING_TOLERANCE, off(difference, golden.images[i]!.file));
    });
    for (const { name: set, labels, templates, textRow, results } of golden.labelSets) {
      const labelSet = defineLabelSet({ labels, templates });
      const { matrix } = await encodeLabels(model.session.embedTexts, labelSet);
      labels.forEach((label, i) => {
        const row = matrix.data.subarray(i * dimensions, (i + 1) * dimensions);
        const difference = largestDifference(row, golden.vector(textRow + i));
        assert.ok(difference < EMBEDDING_TOLERANCE, off(difference, set, label));
      });
      embeddings.forEach((embedding, i) => {
        const predictions = rank(embedding, matrix, labelSet, model.scoring);
        const difference = largestDifference(inOrder(predictions, labels), results[i]!.scores);
        assert.ok(difference < SCORE_TOLERANCE, off(difference, set, golden.images[i]!.file));
      });
    }
  });

  test(`${title}: from the image file, pixels, scores and the best label are the reference's`, async (t) => {
    const golden = await readGolden(name);
    const classifier = await open(t, golden, way);
    const pathOf = (file: string) => join(repository, golden.imageDir, file);
    for (const [i, { file }] of golden.images.entries()) {
      if (file.endsWith('.avif')) continue;
      const pixels = await classifier.model.processImage(await readFile(pathOf(file)));
      assert.equal(largestDifference(pixels.data, golden.pixels(i)), 0, file);
    }
    const files = golden.images.map(({ file }) => file);
    for (const { name: set, labels, templates, results } of golden.labelSets) {
      const ranked = await classifier.classify(files.map(pathOf), labels, { hypothesisTemplate: templates });
      files.forEach((file, i) => {
        const { scores } = results[i]!;
        const best = labels[scores.indexOf(Math.max(...scores))];
        assert.equal(ranked[i]![0]!.label, best, `${set}, ${file}: best label`);
        const difference = largestDifference(inOrder(ranked[i]!, labels), scores);
        const tolerance = file.endsWith('.avif') ? AVIF_SCORE_DRIFT : SCORE_TOLERANCE;
        assert.ok(difference < tolerance, off(difference, set, file));
      });
    }
  });
}

function inOrder(predictions: { label: string; score: number }[], labels: string[]): number[] {
  const scoreOf = new Map(predictions.map(({ label, score }) => [label, score]));
  return labels.map((label) => scoreOf.get(label)!);
}
