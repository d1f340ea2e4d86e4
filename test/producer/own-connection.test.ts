// A producer with a connection of its own, for programs that have another ioredis or none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProducer } from '../../src/producer/producer.ts';
import { startRedisServer } from '../support/redisServer.ts';
import { until } from '../support/support.ts';

test('a producer connects to an address by itself, and leaves when it is closed', async (t) => {
  const server = await startRedisServer(t);
  const producer = await createProducer({ url: server.url });
  await assert.rejects(producer.servedModel('demo'), { code: 'MODEL_NOT_FOUND' });
  const clients = async () =>
    Number(/connected_clients:(\d+)/.exec(String(await server.ask('INFO', 'clients')))?.[1]);
  const before = await clients();
  await producer.close();
  await until(async () => (await clients()) < before, 'its connection is gone');
});

test('an address where no Redis is, and none at all, are said', async () => {
  await assert.rejects(createProducer({ url: 'redis://127.0.0.1:1' }), { code: 'REDIS_UNAVAILABLE' });
  assert.throws(() => createProducer({} as never), { code: 'USAGE', message: /`redis`.*`url`/ });
});
