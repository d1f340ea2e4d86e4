// The same in its parts, and the same numbers: `node dist/examples/by-hand.js openai/clip-vit-large-patch14`
import { readFile } from 'node:fs/promises';
import { openModel } from 'clipfleet/classifier';

const model = await openModel({ model: process.argv[2] ?? 'models/demo' });

async function classify(path: string, labels: string[]): Promise<void> {
  const pixels = await model.processImage(await readFile(path));
  const [image] = await model.embedImages([pixels]);
  const texts = await model.embedTexts(labels.map((label) => `This is a photo of ${label}.`));

  // Unit vectors: the dot product is the cosine. The model's scale makes logits of cosines, softmax probabilities.
  const cosines = texts.map((text) => text.reduce((sum, value, i) => sum + value * image![i]!, 0));
  const exponentials = cosines.map((cosine) => Math.exp(cosine * model.scoring.logitScale));
  const total = exponentials.reduce((sum, value) => sum + value, 0);

  const ranked = labels.map((label, i) => ({ label, score: exponentials[i]! / total }));
  ranked.sort((a, b) => b.score - a.score);
  for (const { label, score } of ranked) console.log(`${label} ${score.toFixed(6)}`);
}

await classify('examples/pictures/owl.jpg', ['fox', 'bear', 'seagull', 'owl']);
await classify('examples/pictures/car.jpg', ['tree', 'car', 'bike', 'cat']);

await model.close();
