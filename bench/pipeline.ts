// Clipfleet's classifier beside transformers.js' pipeline, from JPEG files to ranked labels, same model, same labels:
//   node dist/bench/pipeline.js DIR [IMAGES]
// Both take turns in each round; the ratio is taken within a round.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { env, pipeline } from '@huggingface/transformers';
import sharp from 'sharp';
import { createClassifier } from '../src/classifier.ts';
import { describeMachine } from './machine.ts';
import { format, spreadOf } from './spread.ts';

const ROUNDS = 5;
const LABELS = [10, 100];
const model = resolve(process.argv[2] ?? 'models/demo');
const count = Number(process.argv[3] ?? 32);

const folder = await mkdtemp(join(tmpdir(), 'clipfleet-bench-'));
const files = await Promise.all(Array.from({ length: count }, (_, i) => writePicture(i)));

env.allowRemoteModels = false;
const peer = await pipeline('zero-shot-image-classification', model, {
  dtype: 'fp32',
  local_files_only: true,
});
const classifier = await createClassifier({ model, logitScale: 100, logitBias: 0 });

console.log('| labels | clipfleet, images/s | transformers.js, images/s | ratio |');
console.log('|---|---|---|---|');
for (const labelCount of LABELS) {
  const labels = Array.from({ length: labelCount }, (_, i) => `thing number ${i}`);
  const rates: [number, number][] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const ours = await rateOf(() => classifier.classify(files, labels));
    const theirs = await rateOf(async () => {
      for (const file of files) await peer(file, labels, { hypothesis_template: 'This is a photo of {}.' });
    });
    if (round > 0) rates.push([ours, theirs]);
  }
  const column = (of: (pair: [number, number]) => number) => format(spreadOf(rates.map(of)));
  console.log(
    `| ${labelCount} | ${column(([a]) => a)} | ${column(([, b]) => b)} | ${column(([a, b]) => a / b)} |`,
  );
}
const machine = describeMachine(['onnxruntime-node', '@huggingface/transformers', 'sharp']);
console.log(`\n${count} JPEGs of 500 × 375, median of ${ROUNDS} rounds (smallest to largest). ${machine}.`);

await classifier.close();
await rm(folder, { recursive: true });

async function rateOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (count * 1000) / (performance.now() - start);
}

/** A picture with smooth areas and noise, so that its file is about as long as a photograph's. */
async function writePicture(seed: number): Promise<string> {
  const [width, height] = [500, 375];
  const pixels = Buffer.alloc(width * height * 3);
  let state = seed + 1;
  for (let i = 0; i < pixels.length; i++) {
    state = (state * 48_271) % 2_147_483_647;
    const x = (i / 3) % width;
    pixels[i] = Math.round(110 + 90 * Math.sin((x * (seed + 1)) / 200 + i / 90_000) + (state % 40));
  }
  const path = join(folder, `${seed}.jpg`);
  await writeFile(
    path,
    await sharp(pixels, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: 88 })
      .toBuffer(),
  );
  return path;
}
