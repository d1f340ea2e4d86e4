/**
 * A service's part: opens a run, waits for it, reads its rows. A worker must be running on the same Redis, for instance
 * `clipfleet worker --model models/demo --root examples/pictures`, and files are named as its root has them:
 *
 *     REDIS_URL=redis://localhost:6379 node dist/examples/producer.js fox,bear,owl owl.jpg bear.png
 */
import { connectRedis, createProducer, defineLabelSet, type ImageRef } from 'clipfleet';

const [labels = 'fox,bear,owl', ...files] = process.argv.slice(2);
const images: ImageRef[] = files.map((file) => ({ id: file, uri: file }));

const redis = await connectRedis({ url: process.env.REDIS_URL ?? 'redis://localhost:6379' });
redis.on('error', (error) => console.error(`Redis: ${error.message}`));
try {
  const producer = createProducer({ redis });
  const run = await producer.openRun({
    model: await producer.servedModel(process.env.CLIPFLEET_MODEL ?? 'demo'),
    labelSet: defineLabelSet({ labels: labels.split(',') }),
    lane: 'interactive',
  });
  await run.add(images);
  await run.seal();
  await run.close();

  const giveUp = AbortSignal.timeout(60_000);
  await producer.waitFor(run.run, { signal: giveUp }).catch((error: Error) => {
    if (!giveUp.aborted) throw error;
    console.error('Not complete after a minute; these are the rows so far.');
  });
  for await (const row of producer.rows(run.run)) console.log(JSON.stringify(row));
} finally {
  redis.disconnect();
}
