import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMatrixStore } from '../../../src/worker/labels/matrixStore.ts';
import { startFleet } from '../../support/fleet.ts';
import { randomVectors } from '../../support/randomVectors.ts';

const [labels, dimensions] = [11, 7];
const encoded = {
  matrix: { data: randomVectors(1, labels, dimensions), labels, dimensions },
  truncated: [2, 10],
};

for (const [pieceBytes, pieces] of [
  [1_000, 1],
  [308, 1],
  [154, 2],
  [100, 4],
] as const) {
  test(`a matrix of 308 bytes comes back from pieces of ${pieceBytes}`, async (t) => {
    const { redis } = await startFleet(t);
    const store = createMatrixStore(redis, pieceBytes);
    assert.equal(await store.get('m', labels), undefined);
    await store.put('m', encoded);
    assert.equal(await redis.hlen('m'), pieces + 2);
    const found = await store.get('m', labels);
    assert.deepEqual(found, encoded);
    assert.ok(found.matrix.data.buffer instanceof SharedArrayBuffer, 'threads get it without a copy');
    assert.ok((await redis.ttl('m')) > 24 * 3_600, 'and goes when nobody asks for it');
  });
}

test('a matrix that is not whole is none', async (t) => {
  const { redis } = await startFleet(t);
  const store = createMatrixStore(redis, 100);
  await store.put('m', encoded);
  await redis.hdel('m', 'from 300');
  assert.equal(await store.get('m', labels), undefined);
  await store.put('m', encoded);
  await redis.hdel('m', 'bytes');
  assert.equal(await store.get('m', labels), undefined);
});

test('what somebody else wrote under its key is none, and a matrix takes its place', async (t) => {
  const { redis } = await startFleet(t);
  const store = createMatrixStore(redis);
  const spoil = [
    () => redis.hset('m', 'truncated', 'no JSON'),
    () => redis.hset('m', 'truncated', '{"no":"list"}'),
    () => redis.hset('m', 'bytes', 'many'),
    () => redis.hset('m', 'bytes', '309'),
    () => redis.hset('m', 'bytes', '30800000000000'),
    () => redis.set('m', 'of another type'),
  ];
  for (const spoils of spoil) {
    await store.put('m', encoded);
    await spoils();
    assert.equal(await store.get('m', labels), undefined, String(spoils));
  }
  await store.put('m', encoded);
  assert.deepEqual(await store.get('m', labels), encoded);
});
