// Towers built from checkpoints against Python's transformers.
import assert from 'node:assert/strict';
import { copyFile, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildTowers } from '../../../src/worker/checkpoint/buildTowers.ts';
import { openDevice } from '../../../src/worker/session/devices.ts';
import { embedImages, embedTexts, filesOf } from '../../support/checkpointEmbeddings.ts';
import { readCheckpointGolden, variantNames } from '../../support/checkpointGoldens.ts';
import { largestDifference } from '../../support/goldens.ts';
import { temporaryFolder } from '../../support/support.ts';

/** Of unit vectors: float32 sums in another order. */
const TOLERANCE = 1e-5;

const cpu = await openDevice('cpu');

for (const name of variantNames) {
  test(`${name}: embeddings are those of transformers`, async () => {
    const golden = await readCheckpointGolden(name);
    const towers = await buildTowers(filesOf(golden));
    const images = await embedImages(towers.vision, golden, cpu);
    assert.equal(images.length, golden.images.length);
    const imagesOff = largestDifference(images, golden.images);
    assert.ok(imagesOff < TOLERANCE, `images are off by ${imagesOff}`);
    const texts = await embedTexts(towers.text, golden, cpu);
    assert.equal(texts.length, golden.texts.length);
    const textsOff = largestDifference(texts, golden.texts);
    assert.ok(textsOff < TOLERANCE, `texts are off by ${textsOff}`);
    assert.ok(towers.vision.graph.length < 90_000, 'weights stay in their files');
  });
}

test('weights behind links, as the Hub’s cache has them, are found', async (t) => {
  const golden = await readCheckpointGolden('clip-end-highest-f16-shards');
  const folder = await temporaryFolder(t);
  for (const name of ['blobs', 'elsewhere', 'snapshot']) await mkdir(join(folder, name));
  const linked: string[] = [];
  for (const [i, file] of golden.weights.entries()) {
    const real = join(folder, i === 0 ? 'elsewhere' : 'blobs', `blob-${i}`);
    const link = join(folder, 'snapshot', `${i}.safetensors`);
    await copyFile(file, real);
    await symlink(real, link);
    linked.push(link);
  }
  const { vision } = await buildTowers(filesOf({ ...golden, weights: linked }));
  const off = largestDifference(await embedImages(vision, golden, cpu), golden.images);
  assert.ok(off < TOLERANCE, `images are off by ${off}`);
});
