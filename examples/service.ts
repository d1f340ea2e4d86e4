/**
 * A service's part, over Redis or over a gateway: labels one picture at once, then a run of several, whose rows it reads as they come. A worker
 * must be running, for instance `clipfleet worker --model models/demo --root examples/pictures`, and files are named as its root has them:
 *
 *     REDIS_URL=redis://localhost:6379 node dist/examples/service.js examples/pictures/owl.jpg owl.jpg bear.png
 *     CLIPFLEET_URL=http://localhost:8321 CLIPFLEET_KEY=... node dist/examples/service.js examples/pictures/owl.jpg owl.jpg bear.png
 */
import { readFile } from 'node:fs/promises';
import { ClipfleetError, createClient } from 'clipfleet/client';

const labels = ['fox', 'bear', 'owl'];
const [picture = 'examples/pictures/owl.jpg', ...files] = process.argv.slice(2);
const {
  CLIPFLEET_URL: url,
  CLIPFLEET_KEY: key,
  REDIS_URL: redisUrl = 'redis://localhost:6379',
} = process.env;
const signal = AbortSignal.timeout(60_000);

try {
  await using client = await createClient(url ? { url, ...(key && { key }) } : { redisUrl });
  const [best] = await client.classify(await readFile(picture), labels, { signal });
  console.log(`${picture} ${best?.label}`);

  const run = await client.openRun({ labels, source: 'examples/service.ts', signal });
  await run.add(files, { seal: true, signal });
  for await (const row of run.results({ follow: true, signal })) {
    if (row.status === 'classified') console.log(`${row.id} ${row.predictions[0]?.label}`);
    else if (row.status === 'failed') console.log(`${row.id} ${row.error.code}`);
  }
} catch (error) {
  if (!(error instanceof ClipfleetError)) throw error;
  console.error(`${error.code}: ${error.message}${error.retry ? ' Try again.' : ''}`);
  process.exitCode = 1;
}
