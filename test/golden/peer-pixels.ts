/**
 * Where transformers.js' answers part from Python's on models/demo over examples/pictures: in its tokens, or its pixels.
 *
 *     node dist/test/golden/peer-pixels.js
 */

import { join } from 'node:path';
import { AutoProcessor, AutoTokenizer, env, RawImage, type Tensor } from '@huggingface/transformers';
import { createClassifier, defineLabelSet, rank } from '../../src/classifier.ts';
import { encodeLabels } from '../../src/encodeLabels.ts';
import { repository } from '../support/fleet.ts';
import { readGolden } from '../support/goldens.ts';
import { agreementOf, meanDifference, scoresIn } from './agreement.ts';

env.allowRemoteModels = false;
const golden = await readGolden('demo');
const { labels, templates, tokens, results } = golden.labelSets.find(({ name }) => name === 'pictures')!;
const dir = join(repository, golden.modelDir);

const tokenizer = await AutoTokenizer.from_pretrained(dir, { local_files_only: true });
const equal = labels.filter((label, i) => {
  const ids = tokenizer.encode(templates[0]!.replace('{}', () => label));
  return ids.join() === tokens[0]![i]!.join();
});
console.log(`tokens equal to Python's: ${equal.length} of ${labels.length} prompts`);

const processor = await AutoProcessor.from_pretrained(dir, { local_files_only: true });
const classifier = await createClassifier({ model: dir });
const { width, height } = golden;
const { mean, std } = classifier.model.preprocessing.normalize!;
const pixels = [];
for (const { file } of golden.images) {
  const image = await RawImage.read(join(repository, golden.imageDir, file));
  const { pixel_values } = (await processor(image)) as { pixel_values: Tensor };
  pixels.push({ data: greyLevels(pixel_values.data as Float32Array), width, height });
}
const drifts = pixels.map(({ data }, i) => meanDifference(data, golden.pixels(i)));
const typical = drifts.reduce((sum, drift) => sum + drift, 0) / drifts.length;
console.log(`its pixels: ${typical.toFixed(2)} grey levels off, at most ${Math.max(...drifts).toFixed(2)}`);

const labelSet = defineLabelSet({ labels, templates });
const matrix = await encodeLabels(classifier.model, labelSet);
const embeddings = await classifier.model.embedImages(pixels);
const scores = embeddings.map((embedding) =>
  scoresIn(labels, rank(embedding, matrix, labelSet, classifier.model.scoring)),
);
const { largest, mean: average } = agreementOf(
  scores,
  results.map((result) => result.scores),
);
console.log(`its pixels through our towers: scores off by ${largest.toFixed(4)}, mean ${average.toFixed(4)}`);
await classifier.close();

/** What the processor normalised, planes of 3 channels, as interleaved grey levels again. */
function greyLevels(values: Float32Array): Uint8Array {
  const plane = width * height;
  return Uint8Array.from({ length: 3 * plane }, (_, i) => {
    const channel = i % 3;
    const value = values[channel * plane + Math.floor(i / 3)]! * std[channel]! + mean[channel]!;
    return Math.min(255, Math.max(0, Math.round(value * 255)));
  });
}
