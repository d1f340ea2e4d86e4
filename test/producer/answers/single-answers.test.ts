// Runs of single answers expire, with all that is theirs.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { defineLabelSet, labelSetId } from '../../../src/shared/labels/labelSet.ts';
import { storeLabelSet } from '../../../src/shared/labels/storedLabelSet.ts';
import { keysUnder } from '../../../src/shared/redis/keys.ts';
import type { Row } from '../../../src/shared/rows/row.ts';
import { createLosses } from '../../../src/shared/runs/losses.ts';
import { demoModel, type Fleet, pictures, startFleet } from '../../support/fleet.ts';
import { startGateway } from '../../support/gateway.ts';
import { until } from '../../support/support.ts';

const labelSet = defineLabelSet({ labels: ['fox', 'bear', 'owl'] });
const keys = keysUnder('clipfleet');

/** Keys that a fleet has whatever runs there are. */
const FLEET = /^clipfleet:(models$|workers:|worker:|\{heart\}:|rate:|share-wanted:)/;
/** Those of a lane itself, not of a job in it. */
const LANE = /^clipfleet:\{[^}]+\}:(meta|events|stalled-check|stalled|marker|id|pc)$/;

const keysOfRuns = async ({ redis }: Fleet) =>
  (await redis.keys('*')).filter((key) => !FLEET.test(key) && !LANE.test(key));

async function startWorker(fleet: Fleet) {
  const worker = fleet.start('worker', '--model', demoModel);
  await until(() => worker.text().stderr.includes('worker ready'), 'the worker serves');
  return worker;
}

const dataUrl = async (name: string) =>
  `data:;base64,${(await readFile(join(pictures, name))).toString('base64')}`;

test('nothing is left of a single answer, asked by the library or over HTTP, and a run stays', async (t) => {
  const fleet = await startFleet(t);
  const { producer } = fleet;
  t.after(() => producer.close());
  await startWorker(fleet);
  const [model = ''] = await fleet.redis.hkeys(keys.models());
  const { ask } = await startGateway(fleet, '--answer-kept-ms', '1000', '--answer-timeout-ms', '4000');
  const owl = await dataUrl('owl.jpg');
  const once = { model, timeoutMs: 4_000, keptMs: 1 };
  const row = await producer.labelOne(owl, { ...once, labelSet });
  assert.equal(row.status === 'classified' && row.predictions[0]?.label, 'owl');
  const failed = await producer.labelOne('data:,x', { ...once, labelSet });
  assert.equal(failed.status, 'failed');
  const candidate_labels = ['cat', `a ${'very '.repeat(150)}long one`];
  const overHttp = await ask('POST', '/v1/classify', { inputs: owl, parameters: { candidate_labels } });
  assert.equal(overHttp.status, 200, overHttp.text);

  const there = await producer.list();
  assert.deepEqual(
    there.map(({ state, source, expiresAt }) => [state, source, Date.parse(expiresAt!) > Date.now()]),
    Array.from({ length: 3 }, () => ['complete', 'classify', true]),
  );
  assert.equal((await producer.audit(row.run)).recounted, false);
  const stays = await producer.openRun({ model, labelSet, run: 'stays' });
  await stays.seal();
  await stays.close();
  await until(async () => (await producer.list()).length === 1, 'the single answers have expired');
  await assert.rejects(producer.audit(row.run), { code: 'RUN_UNKNOWN' });
  const own = [...Array(4).keys()].map((bucket) => keys.counts('stays', bucket));
  const staying = [keys.run('stays'), keys.labelSet(labelSetId(labelSet)), ...own].sort();
  await until(async () => (await keysOfRuns(fleet)).length <= staying.length, 'all their keys have expired');
  assert.deepEqual((await keysOfRuns(fleet)).sort(), staying);
});

test('an answer that nobody gave in time leaves its lane when a worker comes after it has expired', async (t) => {
  const fleet = await startFleet(t);
  const { producer } = fleet;
  t.after(() => producer.close());
  const worker = await startWorker(fleet);
  const [model = ''] = await fleet.redis.hkeys(keys.models());
  worker.child.kill('SIGTERM');
  await worker.ended;
  const asked = producer.labelOne('data:,x', { model, labelSet, timeoutMs: 500, keptMs: 1 });
  await assert.rejects(asked, { code: 'ANSWER_TIMEOUT' });
  await until(async () => (await producer.waitingNow(model)) === 1, 'its job waits');
  await until(async () => (await producer.list()).length === 0, 'its run has expired');
  const { stdout } = await fleet.run('runs', '--format', 'jsonl');
  assert.equal(stdout, '');
  const late = await startWorker(fleet);
  await until(async () => (await keysOfRuns(fleet)).length === 0, 'no key is left');
  assert.match(late.text().stderr, /job dropped: run '[^']+' was removed, has expired/);
});

test('all that any script writes for a run that expires goes in the same millisecond', async (t) => {
  const { producer, redis } = await startFleet(t);
  const { runs, store } = producer;
  const hour = 3_600_000;
  const run = (await runs.openNew({
    run: 'e',
    model: 'm@1:fp32',
    labelSet: 'l',
    lane: '{l}',
    expireAfterMs: hour,
  }))!;
  const holder = { worker: 'w', alone: true };
  await runs.announce(run, 0, 8);
  await runs.begin(run, '0', 8, holder);
  await runs.split(run, 0, [2, 2]);
  await runs.divide(run, '0/1', [1, 1]);
  const losses = createLosses(redis, keys);
  await losses.charge('e', '0', 'w', ['a']);
  await losses.reset('e', ['a']);
  await runs.begin(run, '0', 8, holder);
  await runs.warn('e', 'a warning');
  // Its opener was cut off before it said so to the store.
  const base = { uri: 'a', generation: 0, at: 1, fingerprint: 'f', place: { chunk: 0, index: 0 } };
  const rows = ['a', 'b', 'c', 'd'].map(
    (id): Row => ({ ...base, id, status: 'classified', predictions: [] }),
  );
  await store.putRows(run, rows);
  const all = await redis.keys('clipfleet:*{e*');
  const kinds = [
    'active',
    'announced',
    'chunks',
    'counts',
    'fingerprints',
    'parts',
    'rows',
    'run',
    'suspects',
    'warnings',
  ];
  assert.deepEqual([...new Set(all.map((key) => key.split(':')[1]))].sort(), kinds);
  for (const key of all) {
    const at = Date.now() + (await redis.pttl(key));
    assert.ok(Math.abs(at - run.expiresAt!) < 1_000, `${key}: ${at} and not ${run.expiresAt}`);
  }
});

test('a label set that is stored for good outlives single answers', async (t) => {
  const { redis } = await startFleet(t);
  const leftMs = async (id: string) => redis.pttl(keys.labelSet(id));
  const id = await storeLabelSet(redis, keys, labelSet, 10_000);
  assert.ok((await leftMs(id)) > 5_000);
  await storeLabelSet(redis, keys, labelSet, 100);
  assert.ok((await leftMs(id)) > 5_000, 'a shorter one takes nothing from a longer');
  await storeLabelSet(redis, keys, labelSet);
  assert.equal(await leftMs(id), -1);
  await storeLabelSet(redis, keys, labelSet, 100);
  assert.equal(await leftMs(id), -1);
});
