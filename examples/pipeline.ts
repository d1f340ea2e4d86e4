// Zero-shot image classification in one call: `node dist/examples/pipeline.js`
import { createClassifier } from 'clipfleet/classifier';

const classifier = await createClassifier({ model: 'models/demo' });

const owl = await classifier.classify('examples/pictures/owl.jpg', ['fox', 'bear', 'seagull', 'owl']);
const car = await classifier.classify('examples/pictures/car.jpg', ['tree', 'car', 'bike', 'cat']);
for (const predictions of [owl, car]) {
  for (const { label, score } of predictions) console.log(`${label} ${score.toFixed(6)}`);
}

await classifier.close();
