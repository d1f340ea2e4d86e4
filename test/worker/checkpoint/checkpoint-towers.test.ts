// Towers built from checkpoints against Python's transformers.
import assert from 'node:assert/strict';
import { copyFile, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildTowers } from '../../../src/worker/checkpoint/buildTowers.ts';
import { type NamedGraph, openGraph } from '../../../src/worker/onnx/graph.ts';
import type { Preprocessing } from '../../../src/worker/resize/preprocessing.ts';
import { runGraph } from '../../../src/worker/session/feeds.ts';
import { withPixelPrefix } from '../../../src/worker/session/pixelPrefix.ts';
import { embeddingsOf, pick } from '../../../src/worker/session/towerOutputs.ts';
import {
  type CheckpointGolden,
  readCheckpointGolden,
  variantNames,
} from '../../support/checkpointGoldens.ts';
import { largestDifference } from '../../support/goldens.ts';
import { temporaryFolder } from '../../support/support.ts';

/** Of unit vectors: float32 sums in another order. */
const TOLERANCE = 1e-5;

const name = 'a test';

const open = (graph: NamedGraph) => openGraph(graph, { providers: ['cpu'], threads: 1 });

/** Both towers from one checkpoint. */
function filesOf({ config, weights, dir }: CheckpointGolden) {
  const files = { config, weights, where: dir };
  return { vision: files, text: files };
}

async function embedImages(tower: NamedGraph, golden: CheckpointGolden) {
  const half = [0.5, 0.5, 0.5] as const;
  const preprocessing: Preprocessing = {
    version: '',
    resize: { width: golden.side, height: golden.side },
    resample: 'bicubic',
    crop: undefined,
    width: golden.side,
    height: golden.side,
    rescaleFactor: 1 / 255,
    normalize: { mean: half, std: half },
  };
  const prefixed = Buffer.concat(withPixelPrefix(tower.graph, preprocessing)!);
  const session = await open({ ...tower, graph: prefixed });
  const count = golden.pixels.length / golden.side ** 2 / 3;
  const outputs = await runGraph(session, { data: golden.pixels, count, preprocessing }, undefined);
  return embeddingsOf(pick(outputs, ['image_embeds', 'pooler_output'], name), count, undefined, name);
}

async function embedTexts(graph: NamedGraph, { ids, mask }: CheckpointGolden) {
  const [count, length] = [ids.length, ids[0]!.length];
  const big = (rows: number[][]) => BigInt64Array.from(rows.flat(), BigInt);
  const tokens = { ids: big(ids), mask: big(mask), count, length, truncated: [] };
  const outputs = await runGraph(await open(graph), undefined, tokens);
  return embeddingsOf(pick(outputs, ['text_embeds', 'pooler_output'], name), count, undefined, name);
}

for (const name of variantNames) {
  test(`${name}: embeddings are those of transformers`, async () => {
    const golden = await readCheckpointGolden(name);
    const towers = await buildTowers(filesOf(golden));
    const images = await embedImages(towers.vision, golden);
    assert.equal(images.length, golden.images.length);
    const imagesOff = largestDifference(images, golden.images);
    assert.ok(imagesOff < TOLERANCE, `images are off by ${imagesOff}`);
    const texts = await embedTexts(towers.text, golden);
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
  const off = largestDifference(await embedImages(vision, golden), golden.images);
  assert.ok(off < TOLERANCE, `images are off by ${off}`);
});
