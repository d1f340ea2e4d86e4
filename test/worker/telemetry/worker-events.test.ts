// What a worker counts besides images: jobs, cache hits, hosts and label matrices.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countedEvents } from '../../../src/shared/telemetry/countedEvents.ts';
import { createWorkerMetrics } from '../../../src/worker/telemetry/workerMetrics.ts';
import { startFleet } from '../../support/fleet.ts';
import { serveHttp } from '../../support/imageServer.ts';
import { addUrls, owl, runIsComplete, startPoliteWorker } from '../../support/politeFleet.ts';

test('what a worker did is counted: verdicts, remembered embeddings, throttling, label matrices', async (t) => {
  const fleet = await startFleet(t);
  const flags = ['--health-port', '0', '--embedding-cache', '10'];
  const worker = await startPoliteWorker(fleet, ...flags);
  const port = /"healthPort":(\d+)/.exec(worker.text().stderr)![1];
  let requests = 0;
  const url = await serveHttp(t, (_, response) => {
    requests++;
    if (requests === 2) response.writeHead(429, { 'retry-after': '1' }).end();
    else response.end(owl);
  });
  await addUrls(
    fleet,
    [1, 2, 3, 4].map((i) => `${url}/${i}.jpg`),
    {},
  );
  await runIsComplete(fleet);
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const count = (series: string) => {
    const line = text.split('\n').find((each) => each.startsWith(`clipfleet_${series} `));
    assert.ok(line, `no ${series} in ${text}`);
    return Number(line.split(' ')[1]);
  };
  assert.equal(count('jobs_total{verdict="done"}'), 1);
  assert.equal(count('jobs_total{verdict="again"}'), 0);
  assert.equal(count('embedding_cache_requests_total{result="miss"}'), 1);
  assert.equal(count('embedding_cache_requests_total{result="hit"}'), 3);
  assert.equal(count('label_matrices_total{from="encoded"}'), 1);
  assert.equal(count('host_changes_total{state="asked"}'), 1);
  assert.equal(count('host_changes_total{state="open"}'), 1);
  assert.equal(count('decoders_ended_total{with="image"}'), 0);
  assert.ok(count('event_loop_seconds_total{state="active"}') > 0);
});

test('each counter is there from the start, and counts what it is told', async () => {
  const metrics = createWorkerMetrics({ model: 'm', device: 'cpu', version: '1' }, 16, () => undefined);
  const told = new Map([
    ['jobs again', 2],
    ['decoders_ended image', 1],
  ]);
  metrics.countEvent('decoders_ended', 'image');
  metrics.countEvent('jobs', 'again');
  metrics.countEvent('jobs', 'again');
  const lines = (await metrics.text()).body.split('\n');
  for (const [name, { label, values }] of Object.entries(countedEvents))
    for (const value of values) {
      const times = told.get(`${name} ${value}`) ?? 0;
      const line = `clipfleet_${name}_total{${label}="${value}"} ${times}`;
      assert.ok(lines.includes(line), line);
    }
});
