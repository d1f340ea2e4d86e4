// What a connection says of itself goes to its owner, and is not printed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProducer } from '../../../src/producer/producer.ts';
import { defineLabelSet } from '../../../src/shared/labels/labelSet.ts';
import { connectRedis } from '../../../src/shared/redis/redis.ts';
import { startRedisServer } from '../../support/redisServer.ts';
import { until } from '../../support/support.ts';

test('a program with open runs is told once of a Redis that is away, and nothing is printed', async (t) => {
  const server = await startRedisServer(t);
  const redis = await connectRedis({ url: server.url });
  t.after(() => redis.disconnect());
  const printed = t.mock.method(console, 'error', () => {});
  const told: string[] = [];
  const onError = (error: Error & { code?: string }) => void told.push(error.code ?? error.message);
  const producer = createProducer({ redis, onError });
  const labelSet = defineLabelSet({ labels: ['fox', 'owl'] });
  const [one, two] = [
    await producer.openRun({ model: 'm@1:fp32', labelSet }),
    await producer.openRun({ model: 'm@1:fp32', labelSet, lane: 'interactive' }),
  ];
  let errors = 0;
  redis.on('error', () => errors++);
  await server.stop();
  await until(() => errors >= 4, 'the connection fails again and again');
  await server.start();
  assert.equal(await one.add([{ id: 'a', uri: 'a' }]), 1);
  assert.deepEqual([...told].sort(), [...new Set(told)].sort());
  assert.ok(told.includes('ECONNREFUSED'), String(told));
  assert.equal(printed.mock.callCount(), 0);
  await Promise.all([one.close(), two.close()]);
});

test('without a listener the process warns, once', async (t) => {
  const server = await startRedisServer(t);
  const redis = await connectRedis({ url: server.url });
  t.after(() => redis.disconnect());
  const warned: string[] = [];
  const listen = (warning: Error & { code?: string }) => void warned.push(warning.code ?? '');
  process.on('warning', listen);
  t.after(() => process.off('warning', listen));
  const producer = createProducer({ redis });
  const labelSet = defineLabelSet({ labels: ['fox', 'owl'] });
  const run = await producer.openRun({ model: 'm@1:fp32', labelSet });
  await server.stop();
  await until(() => warned.length > 0, 'the process warns');
  await server.start();
  await run.add([{ id: 'a', uri: 'a' }]);
  await run.close();
  assert.deepEqual([...new Set(warned)], ['REDIS_CONNECTION']);
});
