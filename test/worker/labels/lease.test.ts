import assert from 'node:assert/strict';
import { test } from 'node:test';
import { takeLease } from '../../../src/worker/labels/lease.ts';
import { startFleet } from '../../support/fleet.ts';
import { until } from '../../support/support.ts';

const long = 60_000;

test('a lease has one holder, and is free when that one releases it', async (t) => {
  const { redis } = await startFleet(t);
  const first = await takeLease(redis, 'lease', long);
  assert.equal(await takeLease(redis, 'lease', long), undefined);
  await first!.release();
  const second = await takeLease(redis, 'lease', long);
  assert.ok(second);
  await second.release();
  assert.equal(await redis.exists('lease'), 0);
});

test('a lease is renewed for as long as it is held, and runs out without its holder', async (t) => {
  const { redis } = await startFleet(t);
  const lease = await takeLease(redis, 'lease', 3_000);
  // It goes down, and up again above what it was.
  let before = Infinity;
  const goesUp = async () => {
    const now = await redis.pttl('lease');
    assert.ok(now > 0, 'it never ran out');
    const up = now > before;
    before = now;
    return up;
  };
  await until(goesUp, 'it is renewed');
  await until(goesUp, 'it is renewed again');
  await lease!.release();
  await redis.set('of one that is gone', 'somebody', 'PX', 50);
  const theirs = () => takeLease(redis, 'of one that is gone', long);
  const taken = await until(theirs, 'it can be taken');
  await taken!.release();
});

test('who lost a lease neither renews nor releases that of another', async (t) => {
  const { redis } = await startFleet(t);
  const lost = await takeLease(redis, 'lease', 60);
  await redis.set('lease', 'another', 'PX', long);
  // Renewals come every 20 ms; each asks Redis once.
  const calls = async () => Number(/cmdstat_eval:calls=(\d+)/.exec(await redis.info('commandstats'))![1]);
  const before = await calls();
  await until(async () => (await calls()) > before + 3, 'it tried to renew');
  assert.equal(await redis.get('lease'), 'another');
  assert.ok((await redis.pttl('lease')) > 1_000);
  await lost!.release();
  assert.equal(await redis.get('lease'), 'another');
});

test('a lease that ran out while nobody took it is taken again', async (t) => {
  const { redis } = await startFleet(t);
  const lease = await takeLease(redis, 'lease', 60);
  await redis.del('lease');
  await until(() => redis.exists('lease'), 'it is held again');
  await lease!.release();
  assert.equal(await redis.exists('lease'), 0);
});
