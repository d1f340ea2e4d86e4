import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Fleet, pictures } from '../../support/fleet.ts';
import { demoDir, hubFleet, modelFiles } from '../../support/hubFleet.ts';
import type { HubServer } from '../../support/hubServer.ts';
import { until } from '../../support/support.ts';

const enqueue = (fleet: Fleet, { name }: HubServer, ...more: string[]) =>
  fleet.run(
    'enqueue',
    join(pictures, 'owl.jpg'),
    '--root',
    pictures,
    '--labels',
    'owl,fox',
    '--model',
    name,
    ...more,
  );

const modelOf = async ({ producer }: Fleet, { stdout }: { stdout: string }) =>
  (await producer.runs.get(stdout.trim()))?.model;

const startWorker = async (fleet: Fleet, { name }: HubServer) => {
  const worker = fleet.start('worker', '--model', name, '--root', pictures, '--log-level', 'info');
  await until(() => worker.text().stderr.includes('worker ready'), 'the worker is ready');
  return worker;
};

test('enqueue learns the commit from the Hub and downloads nothing', async (t) => {
  const { fleet, hub } = await hubFleet(t, await modelFiles(demoDir, ['model.safetensors']));
  const enqueued = await enqueue(fleet, hub);
  assert.equal(enqueued.code, 0, enqueued.stderr);
  assert.equal(await modelOf(fleet, enqueued), `${hub.name}@${hub.commit}:fp32`);
  assert.deepEqual(
    hub.seen.map(({ path }) => path),
    [`/api/models/${hub.name}/revision/main`],
  );
});

test('enqueue takes the identity that a worker serves, without the Hub', async (t) => {
  const { fleet, hub } = await hubFleet(t, await modelFiles(demoDir, ['model.safetensors']));
  const worker = await startWorker(fleet, hub);
  hub.seen.length = 0;
  // A machine that only adds images has no cache.
  fleet.env.HF_HUB_CACHE = join(fleet.folder, 'no-cache');
  const enqueued = await enqueue(fleet, hub);
  assert.equal(enqueued.code, 0, enqueued.stderr);
  assert.equal(await modelOf(fleet, enqueued), `${hub.name}@${hub.commit}:fp32`);
  assert.deepEqual(hub.seen, []);

  const run = enqueued.stdout.trim();
  await until(async () => (await fleet.producer.runs.get(run))?.state === 'complete', 'the run is complete');
  const { value: row } = await fleet.producer.rows(run).next();
  assert.ok(row?.status === 'classified', JSON.stringify(row));
  assert.equal(row.predictions[0]?.label, 'owl');
  worker.child.kill('SIGTERM');
  assert.equal((await worker.ended).code, 0);
});

test('a dtype that no worker serves is not taken for the one that is served', async (t) => {
  const { fleet, hub } = await hubFleet(t, await modelFiles(demoDir, ['model.safetensors']));
  const worker = await startWorker(fleet, hub);
  const enqueued = await enqueue(fleet, hub, '--dtype', 'q8');
  assert.equal(await modelOf(fleet, enqueued), `${hub.name}@${hub.commit}:q8`);
  worker.child.kill('SIGTERM');
  assert.equal((await worker.ended).code, 0);
});
