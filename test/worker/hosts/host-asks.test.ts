import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keysUnder } from '../../../src/shared/redis/keys.ts';
import { startFleet } from '../../support/fleet.ts';
import { serveHttp } from '../../support/imageServer.ts';
import { addUrls, codeOf, owl, runIsComplete, startPoliteWorker } from '../../support/politeFleet.ts';
import { until } from '../../support/support.ts';

test('a host that asks for time with Retry-After gets it, and no attempt is spent', async (t) => {
  const fleet = await startFleet(t);
  const askedMs = 3_000;
  const arrivals: number[] = [];
  let refusedAt = 0;
  const url = await serveHttp(t, (_, response) => {
    arrivals.push(Date.now());
    if (arrivals.length > 1) return void response.end(owl);
    refusedAt = Date.now();
    response.writeHead(429, { 'retry-after': String(askedMs / 1000) }).end();
  });
  const urls = Array.from({ length: 20 }, (_, i) => `${url}/${i}.jpg`);
  await addUrls(fleet, urls, { chunkSize: 10, attempts: 1 });
  await startPoliteWorker(fleet);
  await runIsComplete(fleet);
  assert.deepEqual(await fleet.producer.store.counts('r'), { classified: 20, failed: 0, failures: {} });
  assert.equal(
    await fleet.redis.exists(keysUnder('clipfleet').parts('r')),
    0,
    'a worker alone gives nothing away to itself',
  );
  assert.equal(arrivals.length, 21, 'one request was refused, and no other was made in vain');
  assert.ok(arrivals[1]! - refusedAt >= askedMs, `asked again after ${arrivals[1]! - refusedAt} ms`);
});

test('a host that asks for an hour holds up no other, not even in its own jobs', async (t) => {
  const fleet = await startFleet(t);
  let requests = 0;
  const asking = await serveHttp(t, (_, response) => {
    requests++;
    response.writeHead(503, { 'retry-after': '3600' }).end();
  });
  const other = await serveHttp(t, (_, response) => void response.end(owl));
  const urls = Array.from({ length: 40 }, (_, i) => [`${asking}/${i}.jpg`, `${other}/${i}.jpg`]).flat();
  await addUrls(fleet, urls, { chunkSize: 10, attempts: 1 });
  const workers = [await startPoliteWorker(fleet, '--images-in-flight', '2')];
  const { store, runs } = fleet.producer;
  await until(
    async () => (await store.counts('r')).classified === 40,
    'all of the other host are classified',
  );
  // One that comes later knows what the first was told.
  workers.push(await startPoliteWorker(fleet));
  for (const { child } of workers) child.kill('SIGTERM');
  for (const { ended } of workers) assert.equal((await ended).code, 0);
  assert.equal(requests, 1);
  assert.deepEqual(await store.counts('r'), { classified: 40, failed: 0, failures: {} });
  assert.equal((await runs.get('r'))?.pending, 80, 'its images wait in their jobs');
});

test('an image whose host never stops asking fails when patience is over', async (t) => {
  const fleet = await startFleet(t);
  const url = await serveHttp(t, ({ url: path }, response) => {
    if (path === '/always.jpg') response.writeHead(503, { 'retry-after': '1' }).end();
    else response.end(owl);
  });
  await addUrls(fleet, [`${url}/good.jpg`, `${url}/always.jpg`], { attempts: 1 });
  await startPoliteWorker(fleet, '--host-patience-ms', '2000');
  await runIsComplete(fleet);
  const codes = (await fleet.rows('r')).map((row) => [row.uri.slice(url.length), codeOf(row)]);
  assert.deepEqual(codes.sort(), [
    ['/always.jpg', 'HOST_BUSY'],
    ['/good.jpg', 'classified'],
  ]);
});
