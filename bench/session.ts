// How many images a second a model's vision session takes, by batch size: node dist/bench/session.js DIR...
// All models and batch sizes take turns in each round, so that what else the machine does meets each of them.
import { basename } from 'node:path';
import { openModel } from '../src/classifier.ts';
import { describeMachine } from './machine.ts';
import { format, spreadOf } from './spread.ts';

const ROUNDS = 5;
const BATCHES = [1, 4, 16];
const directories = process.argv.slice(2);
if (directories.length === 0) throw new Error('Expected model directories, got none.');

const models = await Promise.all(
  directories.map((model) => openModel({ model, logitScale: 100, logitBias: 0 })),
);
const rates = new Map<string, number[]>();
for (let round = 0; round <= ROUNDS; round++) {
  for (const [i, model] of models.entries()) {
    const { width, height } = model.preprocessing;
    for (const batch of BATCHES) {
      const pixels = new Uint8Array(batch * width * height * 3).map((_, p) => (p * 31) % 256);
      const start = performance.now();
      await model.session.embedImages(pixels, batch);
      const rate = (batch * 1000) / (performance.now() - start);
      // The first round warms up.
      if (round > 0) rates.set(`${i} ${batch}`, [...(rates.get(`${i} ${batch}`) ?? []), rate]);
    }
  }
}

console.log(`| model | ${BATCHES.map((batch) => `batch ${batch}`).join(' | ')} |`);
console.log(`|---|${BATCHES.map(() => '---').join('|')}|`);
for (const [i, directory] of directories.entries()) {
  const cells = BATCHES.map((batch) => format(spreadOf(rates.get(`${i} ${batch}`)!)));
  console.log(`| ${basename(directory)} | ${cells.join(' | ')} |`);
}
console.log(
  `\nImages/s, median of ${ROUNDS} (smallest to largest). ${describeMachine(['onnxruntime-node'])}.`,
);
for (const model of models) await model.close();
