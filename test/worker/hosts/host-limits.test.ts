import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFleet } from '../../support/fleet.ts';
import { serveHttp } from '../../support/imageServer.ts';
import { addUrls, owl, runIsComplete, startPoliteWorker } from '../../support/politeFleet.ts';

test('two workers share one host’s concurrency', async (t) => {
  const fleet = await startFleet(t);
  // More than both hold at once, so that there are jobs left for whichever is slower to begin.
  const [limit, count] = [6, 360];
  const agents = new Set<string>();
  let [here, most] = [0, 0];
  const url = await serveHttp(t, async ({ headers }, response) => {
    agents.add(headers['user-agent'] ?? '');
    most = Math.max(most, ++here);
    // Whoever breaks the limit has time to come.
    for (let trips = 0; trips < 20; trips++) await fleet.redis.ping();
    here--;
    response.end(owl);
  });
  const limits = ['--host-concurrency', String(limit)];
  await startPoliteWorker(fleet, ...limits, '--user-agent', 'first (mail@example.org)');
  await startPoliteWorker(fleet, ...limits, '--user-agent', 'second');
  const urls = Array.from({ length: count }, (_, i) => `${url}/${i}.jpg`);
  await addUrls(fleet, urls, { chunkSize: 4 });
  await runIsComplete(fleet);
  assert.equal(most, limit);
  assert.deepEqual([...agents].sort(), ['first (mail@example.org)', 'second'], 'both had a share');
  assert.deepEqual(await fleet.producer.store.counts('r'), { classified: count, failed: 0, failures: {} });
});

test('two workers share one host’s rate', async (t) => {
  const fleet = await startFleet(t);
  const [rate, count] = [20, 60];
  let last = 0;
  const url = await serveHttp(t, (_, response) => {
    last = Date.now();
    response.end(owl);
  });
  for (const _ of [1, 2]) await startPoliteWorker(fleet, '--host-rate', String(rate));
  const urls = Array.from({ length: count }, (_, i) => `${url}/${i}.jpg`);
  const start = Date.now();
  await addUrls(fleet, urls, { chunkSize: 4, attempts: 1 });
  await runIsComplete(fleet);
  assert.deepEqual(await fleet.producer.store.counts('r'), { classified: count, failed: 0, failures: {} });
  // The first second's worth may go at once.
  const least = ((count - rate) / rate) * 1000;
  assert.ok(last - start >= least, `${count} requests in ${last - start} ms, ${least} at least`);
});

test('an image that is redirected within its host keeps its turn', async (t) => {
  const fleet = await startFleet(t);
  const count = 20;
  let requests = 0;
  const url = await serveHttp(t, ({ url: path = '' }, response) => {
    requests++;
    if (path.startsWith('/to/')) response.writeHead(302, { location: path.slice(3) }).end('moved');
    else response.end(owl);
  });
  await startPoliteWorker(fleet, '--host-concurrency', '1');
  const urls = Array.from({ length: count }, (_, i) => `${url}/to/${i}.jpg`);
  await addUrls(fleet, urls, { attempts: 1 });
  await runIsComplete(fleet);
  assert.deepEqual(await fleet.producer.store.counts('r'), { classified: count, failed: 0, failures: {} });
  assert.equal(requests, 2 * count, 'none was asked for again because another came in between');
});
