import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { createProducer } from '../../../src/producer/producer.ts';
import { connectRedis } from '../../../src/shared/redis/redis.ts';
import { findRedisServer } from '../../../src/shared/redis/redisBinary.ts';
import { placeOf } from '../../../src/shared/redis/redisPlace.ts';
import { copyPictures, demoModel, jsonLines, startFleet } from '../../support/fleet.ts';
import { askRedis, serverPid } from '../../support/holder.ts';
import { until } from '../../support/support.ts';

test('a server of our own that is killed in the middle is started again, and the run goes on', {
  timeout: 120_000,
}, async (t) => {
  const fleet = await startFleet(t);
  await copyPictures(fleet, 'many', 300);
  // A folder that no other process uses: the command itself must bring its server back.
  const dataDir = join(fleet.folder, 'own');
  fleet.env.CLIPFLEET_DATA_DIR = dataDir;
  const label = fleet.start('label', 'many', '--labels', 'fox,owl', '--model', demoModel, '--run', 'r');
  const { socket } = await placeOf(dataDir);
  const pending = () => askRedis(socket, 'HGET', 'clipfleet:run:{r}', 'pending').catch(() => '');
  await until(async () => Number(await pending()) > 200, 'the run is under way');
  process.kill(await serverPid(socket), 'SIGKILL');
  const { code, stderr } = await label.ended;
  assert.equal(code, 0, stderr);
  const [status] = jsonLines((await fleet.run('status', 'r', '--format', 'jsonl')).stdout);
  assert.deepEqual([status!.state, status!.classified, status!.failed], ['complete', 300, 0]);
});

test('a worker waits for a Redis that is away, and goes on when it is back', {
  timeout: 120_000,
}, async (t) => {
  const fleet = await startFleet(t);
  await copyPictures(fleet, 'many', 300);
  const socket = join(fleet.folder, 'other.sock');
  const server = (): ChildProcess => {
    const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', '', '--dir', fleet.folder];
    const child = spawn(findRedisServer()!, ['--port', '0', '--unixsocket', socket, ...durable], {
      stdio: 'ignore',
    });
    t.after(() => child.kill('SIGKILL'));
    return child;
  };
  const first = server();
  const url = `unix://${socket}`;
  const redis = (await until(() => connectRedis({ url }).catch(() => undefined), 'the server answers'))!;
  t.after(() => redis.disconnect());
  const { store, runs } = createProducer({ redis });
  fleet.env.REDIS_URL = url;

  const args = ['--labels', 'fox,owl', '--model', demoModel, '--run', 'r', '--chunk-size', '8'];
  assert.equal((await fleet.run('enqueue', 'many', ...args)).code, 0);
  const worker = fleet.start('worker', '--model', demoModel, '--lock-ms', '1000');
  await until(async () => (await store.counts('r')).classified > 0, 'there are rows');
  first.kill('SIGKILL');
  await once(first, 'exit');
  await until(() => worker.text().stderr.includes('Redis connection'), 'the worker has noticed');
  server();
  await until(async () => (await runs.get('r'))?.state === 'complete', 'the run is complete');
  assert.deepEqual(await store.counts('r'), { classified: 300, failed: 0, failures: {} });
  worker.child.kill('SIGTERM');
  assert.equal((await worker.ended).code, 0);
});
