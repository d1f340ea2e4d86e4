// Whether a worker can encode the labels is asked before a run begins.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  listServing,
  reportServing,
  type ServingWorker,
  stages,
} from '../../../src/shared/fleet/servingWorkers.ts';
import { defineLabelSet } from '../../../src/shared/labels/labelSet.ts';
import { keysUnder } from '../../../src/shared/redis/keys.ts';
import { demoModel, startFleet } from '../../support/fleet.ts';
import { until } from '../../support/support.ts';

const keys = keysUnder('clipfleet');
const labelSet = defineLabelSet({ labels: ['fox', 'bear', 'owl'] });

test('labels that a worker can encode are encoded, and no run is left', async (t) => {
  const { producer, redis, start } = await startFleet(t);
  t.after(() => producer.close());
  const worker = start('worker', '--model', demoModel);
  await until(() => worker.text().stderr.includes('worker ready'), 'the worker serves');
  const [model = ''] = await redis.hkeys(keys.models());
  await until(async () => (await listServing(redis, keys, model)).length > 0, 'it has said so');
  assert.equal(await producer.checkLabels({ model, labelSet }), 'encoded');
  assert.equal((await redis.keys(keys.matrix('*'))).length, 1);
  assert.deepEqual([await producer.list(), await producer.waitingNow(model)], [[], 0]);
});

test('where nobody serves, or nobody answers, that is said, and nothing is left', async (t) => {
  const { producer, redis } = await startFleet(t);
  t.after(() => producer.close());
  const model = 'm@1:fp32';
  assert.equal(await producer.checkLabels({ model, labelSet }), 'unserved');
  const record = { worker: 'w', host: 'h', pid: 1, model, device: 'cpu' };
  const times = Object.fromEntries(stages.map((of) => [of, { images: 0, meanMs: 0 }]));
  const about = { imagesPerSecond: 0, batches: 0, fill: 0, bottleneck: 'idle' };
  await reportServing(
    redis,
    keys,
    { ...record, ...about, stages: times } as unknown as ServingWorker,
    600_000,
  );
  assert.equal(await producer.checkLabels({ model, labelSet, timeoutMs: 50 }), 'unanswered');
  const why = new Error('enough');
  const given = producer.checkLabels({ model, labelSet, signal: AbortSignal.abort(why) });
  await assert.rejects(given, why);
  await until(async () => (await producer.list()).length === 0, 'no run is left');
  assert.equal(await producer.waitingNow(model), 0);
});
