// What the gateway tells Prometheus, and scalers.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { registerModel } from '../../src/shared/fleet/models.ts';
import { defineLabelSet } from '../../src/shared/labels/labelSet.ts';
import { keysUnder } from '../../src/shared/redis/keys.ts';
import { type Fleet, startFleet } from '../support/fleet.ts';
import { startGateway } from '../support/gateway.ts';
import { until } from '../support/support.ts';

const model = 'demo@abc:fp32';
const labelSet = defineLabelSet({ labels: ['fox', 'owl'] });

/** A model that was served once, and a run of five images that wait for it. */
async function addWaiting({ redis, producer }: Fleet): Promise<void> {
  const about = { fingerprint: 'f', key: 'k', logitScale: 1, logitBias: 0, scaleSource: 's', at: '2026' };
  await registerModel(redis, keysUnder('clipfleet'), model, about);
  const run = await producer.openRun({ model, labelSet, run: 'r' });
  await run.add(Array.from({ length: 5 }, (_, i) => ({ id: `i${i}`, uri: `i${i}.jpg` })));
  await run.seal();
  await run.close();
}

test('the gateway’s requests, refusals and the fleet’s numbers are metrics', async (t) => {
  const fleet = await startFleet(t);
  await addWaiting(fleet);
  const { ask } = await startGateway(fleet, '--requests-per-minute', '2');
  await ask('GET', '/v1/runs/nobody');
  await ask('GET', '/v1/runs/r');
  const { headers, text } = await ask('GET', '/metrics');
  assert.match(headers.get('content-type')!, /^text\/plain; version=0\.0\.4/);
  const refused = await ask('GET', '/v1/runs/r');
  assert.equal(refused.status, 429);
  const lines = text.split('\n');
  for (const line of [
    `clipfleet_queue_images{model="${model}",lane="bulk",state="waiting"} 5`,
    `clipfleet_queue_images{model="${model}",lane="interactive",state="active"} 0`,
    'clipfleet_runs{state="sealed"} 1',
    'clipfleet_runs{state="paused"} 0',
    `clipfleet_workers{model="${model}",device=""} 0`,
    'clipfleet_redis_up 1',
    'clipfleet_http_request_duration_seconds_count{method="GET",route="/v1/runs/:run",status="404"} 1',
    'clipfleet_http_request_duration_seconds_count{method="GET",route="/v1/runs/:run",status="200"} 1',
    'clipfleet_http_errors_total{code="RUN_UNKNOWN"} 1',
    'clipfleet_http_errors_total{code="RATE_LIMITED"} 0',
  ])
    assert.ok(lines.includes(line), `${line}\n${text}`);
  assert.match(text, /^clipfleet_queue_oldest_seconds\{model="demo@abc:fp32",lane="bulk"\} \d/m);
  assert.match(text, /^clipfleet_redis_memory_bytes [1-9]/m);
  assert.match(text, /^clipfleet_event_loop_seconds_total\{state="idle"\} \d/m);
  assert.doesNotMatch(text, /run="|nobody/);
});

test('a refusal is counted, and the fleet’s numbers are left out while Redis does not answer', async (t) => {
  const fleet = await startFleet(t);
  await addWaiting(fleet);
  const { ask } = await startGateway(fleet, '--requests-per-minute', '1', '--redis-timeout-ms', '600000');
  await ask('GET', '/v1/runs');
  assert.equal((await ask('GET', '/v1/runs')).status, 429);
  await fleet.redis.flushall();
  await addWaiting(fleet);
  await fleet.redis.call('CLIENT', 'PAUSE', '20000', 'ALL');
  const { text } = await ask('GET', '/metrics');
  const lines = text.split('\n');
  for (const line of ['clipfleet_http_errors_total{code="RATE_LIMITED"} 1', 'clipfleet_redis_up 0'])
    assert.ok(lines.includes(line), `${line}\n${text}`);
  assert.doesNotMatch(text, /^clipfleet_(queue|redis_memory|workers|runs)\w*[ {]/m);
});

test('a scaler asks for the images of a model, by name or identity, and of a lane', async (t) => {
  const fleet = await startFleet(t);
  await addWaiting(fleet);
  const file = join(fleet.folder, 'keys.txt');
  const made = await fleet.run('key', 'scaler', '--scopes', 'read', '--api-keys', file);
  const { ask } = await startGateway(fleet, '--api-keys', file);
  const key = { authorization: `Bearer ${made.stdout.trim()}` };
  const images = async (query: string) =>
    (await ask('GET', `/v1/queue${query}`, undefined, key)).json.images as number;
  assert.equal((await ask('GET', '/v1/queue')).status, 401);
  assert.equal((await ask('GET', '/metrics')).status, 401);
  assert.equal(await images('?model=demo'), 5);
  assert.equal(await images(`?model=${encodeURIComponent(model)}&lane=bulk`), 5);
  assert.equal(await images('?model=demo&lane=interactive'), 0);
  assert.equal(await images(''), 5);
  const whole = (await ask('GET', '/v1/queue', undefined, key)).json;
  assert.deepEqual([whole.waiting, whole.active, whole.held, whole.lanes.length], [5, 0, 0, 2]);
  // A wrong name must not look like an empty lane: nothing would ever be scaled.
  const wrong = await ask('GET', '/v1/queue?model=dmeo', undefined, key);
  assert.deepEqual([wrong.status, wrong.json.code], [404, 'MODEL_NOT_FOUND']);
  await fleet.producer.cancel('r');
  await until(async () => (await images('?model=demo')) === 0, 'nothing is left for a worker');
});
