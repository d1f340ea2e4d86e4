import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OpenRunOptions } from '../../../src/producer/producer.ts';
import { registerModel } from '../../../src/shared/fleet/models.ts';
import { reportServing, type ServingWorker, stages } from '../../../src/shared/fleet/servingWorkers.ts';
import { defineLabelSet } from '../../../src/shared/labels/labelSet.ts';
import { keysUnder } from '../../../src/shared/redis/keys.ts';
import { startFleet } from '../../support/fleet.ts';

test('a run that no worker would take is refused before anything is stored', async (t) => {
  const { producer, redis } = await startFleet(t);
  const good: OpenRunOptions = { model: 'm@1:fp32', labelSet: defineLabelSet({ labels: ['fox', 'owl'] }) };
  const refused = [
    [{ model: 'demo' }, 'USAGE', /name@revision:dtype, got 'demo': servedModel/],
    [{ lane: 'express' }, 'USAGE', /bulk, interactive, got 'express'/],
    [{ labelSet: { labels: ['fox', 'owl'] } }, 'LABEL_SET_INVALID', /label set is not valid/],
  ] as const;
  for (const [wrong, code, message] of refused)
    await assert.rejects(producer.openRun({ ...good, ...wrong } as OpenRunOptions), { code, message });
  assert.equal(await redis.dbsize(), 0);
});

test('a model is served while a worker says so, and not because one was', async (t) => {
  const { producer, redis } = await startFleet(t);
  const keys = keysUnder('clipfleet');
  const facts = { fingerprint: 'f', key: 'k', logitScale: 100, logitBias: 0, scaleSource: 's', at: '2026' };
  await registerModel(redis, keys, 'm@1:fp32', facts);
  await assert.rejects(producer.servedModel('m'), { code: 'MODEL_NOT_FOUND' });
  const about = { worker: 'w', model: 'm@1:fp32', host: 'h', pid: 1, device: 'cpu' };
  const times = Object.fromEntries(stages.map((stage) => [stage, { images: 0, meanMs: 0 }]));
  const work = { imagesPerSecond: 0, batches: 0, fill: 0, bottleneck: 'idle', stages: times };
  const worker = { ...about, ...work } as unknown as ServingWorker;
  await reportServing(redis, keys, worker, 60_000);
  assert.equal(await producer.servedModel('m'), 'm@1:fp32');
});
