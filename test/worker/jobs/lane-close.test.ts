import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Redis } from 'ioredis';
import { startFleet } from '../../support/fleet.ts';
import { silent } from '../../support/heart.ts';
import { addRun, openLaneHere } from '../../support/laneInProcess.ts';
import { until } from '../../support/support.ts';

test('a lane that closes waits for its jobs, also where the connection it waits for jobs on fails at that moment', async (t) => {
  const fleet = await startFleet(t);
  const { redis } = fleet;
  const connections: Redis[] = [];
  const duplicate = redis.duplicate.bind(redis);
  redis.duplicate = (...how) => {
    connections.push(duplicate(...how));
    return connections.at(-1)!;
  };
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let begun = false;
  const lane = openLaneHere(fleet, {
    log: silent,
    async classify() {
      begun = true;
      await held;
      return [{ index: 1, score: 0.5 }];
    },
  });
  await addRun(fleet, 4);
  await until(() => begun, 'the job is in hand');

  let failed = 0;
  for (const connection of connections) {
    const disconnect = connection.disconnect.bind(connection);
    connection.disconnect = (...how) => {
      connection.stream.destroy(Object.assign(new Error('write EPIPE'), { syscall: 'write' }));
      connection.once('close', () => failed++);
      disconnect(...how);
    };
  }
  let isClosed = false;
  const closing = lane.close().then(() => {
    isClosed = true;
  });
  await until(() => failed > 0, 'the connection has failed');
  // More round trips than closing takes.
  for (let i = 0; i < 50; i++) await redis.ping();
  assert.equal(isClosed, false, 'it waits for the job in hand');
  letGo();
  await closing;
  assert.equal((await fleet.producer.runs.get('r'))?.state, 'complete');
});
