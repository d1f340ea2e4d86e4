// Zero-shot image classification in one call: `node dist/examples/pipeline.js openai/clip-vit-large-patch14`, or with the bundled model
import { createClassifier } from 'clipfleet/classifier';

const classifier = await createClassifier({ model: process.argv[2] ?? 'models/demo' });

const owl = await classifier.classify('examples/pictures/owl.jpg', ['fox', 'bear', 'seagull', 'owl']);
const car = await classifier.classify('examples/pictures/car.jpg', ['tree', 'car', 'bike', 'cat']);
for (const predictions of [owl, car]) {
  for (const { label, score } of predictions) console.log(`${label} ${score.toFixed(6)}`);
}

await classifier.close();
