import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createHeartbeats } from '../../../src/shared/fleet/heartbeats.ts';
import { keysUnder } from '../../../src/shared/redis/keys.ts';
import { startFleet } from '../../support/fleet.ts';

const PATIENCE = 60_000;

async function openScene(t: TestContext) {
  const { redis } = await startFleet(t);
  const keys = keysUnder('test');
  const heartbeats = createHeartbeats(redis, keys);
  /** So long ago the last heartbeat was, of whichever worker. */
  const silence = (ms: number) => redis.hincrby(keys.heartClock(), 'at', -ms);
  const fateOf = async (worker: string) => (await heartbeats.fateOf(worker)).kind;
  return { heartbeats, silence, fateOf };
}

test('a worker that says nothing while another does is silent first, and dead after its patience', async (t) => {
  const { heartbeats, silence, fateOf } = await openScene(t);
  await heartbeats.beat('a', PATIENCE);
  await heartbeats.beat('b', PATIENCE);
  assert.equal(await fateOf('a'), 'lives');
  for (const fate of ['lives', 'lives', 'silent', 'silent', 'silent', 'silent', 'dead']) {
    // A little less than between two heartbeats, because the test takes time itself.
    await silence(PATIENCE / 6 - 100);
    await heartbeats.beat('b', PATIENCE);
    assert.equal(await fateOf('a'), fate);
    assert.equal(await fateOf('b'), 'lives');
  }
  await heartbeats.beat('a', PATIENCE);
  assert.equal(await fateOf('a'), 'lives', 'it was only away');
});

test('a time in which Redis took nobody’s heartbeat is nobody’s silence', async (t) => {
  const { heartbeats, silence, fateOf } = await openScene(t);
  await heartbeats.beat('a', PATIENCE);
  await silence(24 * PATIENCE);
  await heartbeats.beat('b', PATIENCE);
  assert.notEqual(await fateOf('a'), 'dead');
});

test('a worker that said goodbye, or that nobody heard of, did not die', async (t) => {
  const { heartbeats, silence, fateOf } = await openScene(t);
  await heartbeats.beat('a', PATIENCE);
  await heartbeats.leave('a');
  for (let i = 0; i < 10; i++) {
    await silence(PATIENCE);
    await heartbeats.beat('b', PATIENCE);
  }
  assert.deepEqual([await fateOf('a'), await fateOf('nobody')], ['left', 'left']);
});
