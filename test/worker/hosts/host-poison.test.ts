import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFleet } from '../../support/fleet.ts';
import { serveHttp } from '../../support/imageServer.ts';
import { addUrls, owl, runIsComplete, startPoliteWorker } from '../../support/politeFleet.ts';
import { until } from '../../support/support.ts';

test('a run of URLs that a host fails costs no image of another run, also when the host counts as down', async (t) => {
  const fleet = await startFleet(t);
  let good = 0;
  const url = await serveHttp(t, ({ url: path = '' }, response) => {
    if (path.startsWith('/bad/')) response.writeHead(500).end();
    else {
      good++;
      response.end(owl);
    }
  });
  const urls = (name: string, count: number) =>
    Array.from({ length: count }, (_, i) => `${url}/${name}/${i}.jpg`);
  const worker = await startPoliteWorker(fleet, '--host-down-ms', '2000');
  await addUrls(fleet, urls('bad', 100), { chunkSize: 10, attempts: 2, run: 'bad' });
  await until(() => worker.text().stderr.includes('host is down'), 'the host counts as down');
  await addUrls(fleet, urls('good', 50), { chunkSize: 10, attempts: 1 });
  await runIsComplete(fleet);
  assert.deepEqual(await fleet.producer.store.counts('r'), { classified: 50, failed: 0, failures: {} });
  assert.equal(good, 50, 'each was asked for once');
  await runIsComplete(fleet, 'bad');
  const { classified, failed } = await fleet.producer.store.counts('bad');
  assert.deepEqual([classified, failed], [0, 100]);
});
