// Towers built from checkpoints against Python's transformers.
import assert from 'node:assert/strict';
import { copyFile, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildTowers } from '../src/worker/checkpoint/buildTowers.ts';
import { floats, type GraphBytes, openGraph, pick, runGraph } from '../src/worker/graph.ts';
import { unit } from '../src/worker/labelMatrix.ts';
import { withPixelPrefix } from '../src/worker/pixelPrefix.ts';
import type { Preprocessing } from '../src/worker/preprocessing.ts';
import { type CheckpointGolden, readCheckpointGolden, variantNames } from './checkpointGoldens.ts';
import { largestDifference } from './goldens.ts';
import { temporaryFolder } from './support.ts';

/** Of unit vectors: float32 sums in another order. */
const TOLERANCE = 1e-5;

const open = (graph: GraphBytes) => openGraph(graph, 'a test', { providers: ['cpu'], threads: 1 });

function unitRows(tensor: ReturnType<typeof pick>, rows: number): Float32Array {
  const values = floats(tensor);
  const length = values.length / rows;
  const units = Array.from({ length: rows }, (_, i) => unit(values.slice(i * length, (i + 1) * length)));
  return Float32Array.from(units.flatMap((row) => [...row]));
}

async function embedImages({ graph, weightsFolder }: GraphBytes, golden: CheckpointGolden) {
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
  const prefixed = Buffer.concat(withPixelPrefix(graph, preprocessing)!);
  const session = await open({ graph: prefixed, weightsFolder: weightsFolder! });
  const count = golden.pixels.length / golden.side ** 2 / 3;
  const outputs = await runGraph(session, { data: golden.pixels, count, preprocessing }, undefined);
  return unitRows(pick(outputs, ['image_embeds', 'pooler_output']), count);
}

async function embedTexts(graph: GraphBytes, { ids, mask }: CheckpointGolden) {
  const [count, length] = [ids.length, ids[0]!.length];
  const big = (rows: number[][]) => BigInt64Array.from(rows.flat(), BigInt);
  const tokens = { ids: big(ids), mask: big(mask), count, length, truncated: [] };
  const outputs = await runGraph(await open(graph), undefined, tokens);
  return unitRows(pick(outputs, ['text_embeds', 'pooler_output']), count);
}

for (const name of variantNames) {
  test(`${name}: embeddings are those of transformers`, async () => {
    const golden = await readCheckpointGolden(name);
    const towers = await buildTowers(golden.config, golden.weights, name);
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
  const { vision } = await buildTowers(golden.config, linked, 'links');
  const off = largestDifference(await embedImages(vision, golden), golden.images);
  assert.ok(off < TOLERANCE, `images are off by ${off}`);
});
