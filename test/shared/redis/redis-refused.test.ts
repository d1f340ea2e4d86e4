// What Redis refuses, and what kind of Redis is refused: each with a code and the remedy, and no word of a password.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { persistenceWarning, readPersistence } from '../../../src/shared/redis/persistence.ts';
import { connectRedis } from '../../../src/shared/redis/redis.ts';
import { startRedisServer } from '../../support/redisServer.ts';

async function refusal(url: string): Promise<{ code: string; message: string }> {
  try {
    (await connectRedis({ url })).disconnect();
  } catch (error) {
    return error as never;
  }
  throw new Error(`${url} was taken`);
}

test('a database, password or user that Redis refuses is an error, not database 0', async (t) => {
  const { url, ask, port } = await startRedisServer(t);
  const at = `127.0.0.1:${port}`;
  assert.match((await refusal(`${url}/99`)).message, /no database 99/);
  assert.equal((await refusal(`${url}/99`)).code, 'REDIS_FORBIDDEN');
  const needless = await refusal(`redis://:hunter2@${at}`);
  assert.deepEqual([needless.code, /asks for no password/.test(needless.message)], ['REDIS_FORBIDDEN', true]);
  await ask('ACL', 'SETUSER', 'bob', 'on', '>hunter2', '~*', '+@all');
  for (const user of ['bob:hunter3', 'eve:hunter2']) {
    const { code, message } = await refusal(`redis://${user}@${at}`);
    assert.equal(code, 'REDIS_FORBIDDEN');
    assert.doesNotMatch(message, /hunter/);
  }
  const redis = await connectRedis({ url: `redis://bob:hunter2@${at}/3` });
  assert.equal(redis.options.db, 3);
  redis.disconnect();
});

test('an address that does not say what its writer meant is refused without a word of it', async () => {
  const wrong = [
    'redis://:p@hunter/w#2:x?%@127.0.0.1:6399',
    'redis://:hunter%2@127.0.0.1',
    'redis://h:hunter2',
    'redis://h/hunter',
  ];
  for (const url of wrong) {
    const { code, message } = await refusal(url);
    assert.equal(code, 'USAGE', url);
    assert.doesNotMatch(message, /hunter|127\.0/);
  }
});

test('a replica is refused with the remedy', async (t) => {
  const replica = await startRedisServer(t);
  await replica.ask('REPLICAOF', '127.0.0.1', '1');
  const { code, message } = await refusal(replica.url);
  assert.deepEqual([code, /replica of 127\.0\.0\.1:1/.test(message)], ['REDIS_UNSUITABLE', true]);
});

test('what a Redis may lose is said with the remedy', async (t) => {
  const server = await startRedisServer(t);
  const redis = await connectRedis({ url: server.url });
  t.after(() => redis.disconnect());
  const warning = async () => persistenceWarning(await readPersistence(redis)) ?? '';
  assert.equal(await warning(), '');
  await redis.config('SET', 'appendonly', 'no');
  assert.match(await warning(), /keeps nothing on disk .*config set appendonly yes/);
  await redis.config('SET', 'save', '3600 1');
  assert.match(await warning(), /keeps snapshots only/);
});
