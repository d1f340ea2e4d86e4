/**
 * Prints, per golden, how far each stage is from Python's: towers fed the golden's own pixels, then image files.
 *
 *     node dist/test/golden/golden-drift.js
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Classifier, createClassifier } from '../../src/classifier.ts';
import { repository } from '../support/fleet.ts';
import { type Golden, goldenNames, largestDifference, readGolden } from '../support/goldens.ts';
import { agreementOf, inFigures, meanDifference, scoresIn } from './agreement.ts';

console.log(
  '| golden | towers: image vectors | text vectors | logits | files: grey levels, mean, worst | to the bit | ' +
    'least cosine | scores: largest | same best label |\n|---|---|---|---|---|---|---|---|---|',
);
for (const name of goldenNames) {
  const golden = await readGolden(name);
  const classifier = await createClassifier({ model: join(repository, golden.modelDir) });
  const cells = [...(await towersAlone(golden, classifier)), ...(await fromFiles(golden, classifier))];
  console.log(`| ${name} | ${cells.join(' | ')} |`);
  await classifier.close();
}

/** Largest differences of single numbers: unit vectors of images, of texts, and logits. */
async function towersAlone(golden: Golden, { model }: Classifier): Promise<string[]> {
  const { width, height } = golden;
  const vectors = await model.embedImages(
    golden.images.map((_, i) => ({ data: golden.pixels(i), width, height })),
  );
  const images = vectors.map((vector, i) => largestDifference(vector, golden.vector(i)));
  const { logitScale, logitBias } = model.scoring;
  const texts: number[] = [];
  const logits: number[] = [];
  for (const { labels, templates, textRow, results } of golden.labelSets) {
    // Of several templates the goldens keep the mean only, which parity.test.ts compares.
    if (templates.length > 1) continue;
    const prompts = labels.map((label) => templates[0]!.replace('{}', () => label));
    const rows = await model.embedTexts(prompts);
    texts.push(...rows.map((row, i) => largestDifference(row, golden.vector(textRow + i))));
    vectors.forEach((vector, i) => {
      const ours = rows.map((row) => logitScale * dot(row, vector) + logitBias);
      logits.push(largestDifference(ours, results[i]!.logits));
    });
  }
  return [images, texts, logits].map((each) => Math.max(...each).toExponential(0));
}

async function fromFiles(golden: Golden, classifier: Classifier): Promise<string[]> {
  const files = golden.images.map(({ file }) => join(repository, golden.imageDir, file));
  const pixels = await Promise.all(
    files.map(async (file) => classifier.model.processImage(await readFile(file))),
  );
  const drifts = pixels.map(({ data }, i) => meanDifference(data, golden.pixels(i)));
  const worst = Math.max(...drifts);
  const vectors = await classifier.model.embedImages(pixels);
  const cosines = vectors.map((vector, i) => dot(vector, golden.vector(i)));
  const { largest, best, of } = await scoresOf(golden, classifier, files);
  const mean = drifts.reduce((sum, drift) => sum + drift, 0) / drifts.length;
  return [
    `${mean.toFixed(2)}, ${worst.toFixed(2)} (\`${golden.images[drifts.indexOf(worst)]!.file}\`)`,
    `${drifts.filter((drift) => drift === 0).length} of ${drifts.length}`,
    Math.min(...cosines).toFixed(7),
    inFigures(largest),
    `${best} of ${of}`,
  ];
}

/** Over all label sets. */
async function scoresOf({ labelSets }: Golden, classifier: Classifier, files: string[]) {
  const sum = { largest: 0, best: 0, of: 0 };
  for (const { labels, templates, results } of labelSets) {
    const ranked = await classifier.classify(files, labels, { hypothesisTemplate: templates });
    const { largest, best } = agreementOf(
      ranked.map((predictions) => scoresIn(labels, predictions)),
      results.map(({ scores }) => scores),
    );
    sum.largest = Math.max(sum.largest, largest);
    sum.best += best;
    sum.of += files.length;
  }
  return sum;
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, d) => sum + value * b[d]!, 0);
}
