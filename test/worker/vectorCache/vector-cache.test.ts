import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readCached, vectorPath } from '../../../src/worker/vectorCache/cachedVector.ts';
import { openVectorCache } from '../../../src/worker/vectorCache/vectorCache.ts';

const MiB = 1024 * 1024;
const digestOf = (content: string) => createHash('sha256').update(content).digest('base64');
const vector = Float32Array.from({ length: 512 }, (_, i) => Math.sin(i));

async function open(t: TestContext, { bytesMax = 64 * MiB, madeBy = ['a model'] } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'clipfleet-test-'));
  t.after(() => rm(folder, { recursive: true }));
  const failures: Error[] = [];
  const reopen = (how: Partial<{ madeBy: string[] }> = {}) =>
    openVectorCache({ folder, bytesMax, madeBy, onFailed: (error) => void failures.push(error), ...how });
  return { folder, cache: reopen(), reopen, failures };
}

test('an embedding comes back to the bit, for the model that made it alone', async (t) => {
  const { cache, reopen } = await open(t);
  cache.keep(digestOf('owl'), vector);
  await cache.close();
  const again = reopen();
  assert.deepEqual(again.recall(readCached(again.place, digestOf('owl'))!), vector);
  assert.equal(readCached(again.place, digestOf('fox')), undefined);
  assert.equal(readCached(reopen({ madeBy: ['another model'] }).place, digestOf('owl')), undefined);
});

test('a torn or changed file is passed over', async (t) => {
  const { cache } = await open(t);
  const path = vectorPath(cache.place, digestOf('owl'));
  cache.keep(digestOf('owl'), vector);
  await cache.close();
  const whole = await readFile(path);
  whole[9]! ^= 1;
  await writeFile(path, whole);
  assert.equal(readCached(cache.place, digestOf('owl')), undefined);
  for (const length of [0, 3, 4, 100, whole.length - 1]) {
    await truncate(path, length);
    assert.equal(readCached(cache.place, digestOf('owl')), undefined, `${length} bytes`);
  }
});

test('the disk that it takes is bounded, and what was used least recently goes', async (t) => {
  // 16 vectors a shard.
  const { folder, cache, reopen } = await open(t, { bytesMax: 16 * MiB });
  const inShard = Array.from({ length: 20_000 }, (_, i) => digestOf(`image ${i}`)).filter(
    (digest) => Buffer.from(digest, 'base64')[0] === 7,
  );
  const [first, second, ...others] = inShard.slice(0, 24) as [string, string, ...string[]];
  const lately = Date.now() / 1_000 - 7_200;
  for (const [age, digest] of [second, first, ...others.slice(0, 13)].entries()) {
    cache.keep(digest, vector);
    await cache.close();
    await utimes(vectorPath(cache.place, digest), lately + age, lately + age);
  }
  // Used now: reading notes it.
  assert.ok(readCached(cache.place, first));
  const other = reopen();
  for (const digest of others.slice(13)) {
    other.keep(digest, vector);
    await other.close();
  }
  const left = await readdir(join(folder, '07'));
  assert.ok(left.length <= 16 && left.length >= 13, `${left.length} files`);
  assert.ok(readCached(cache.place, first), 'the one that was read stays');
  assert.equal(readCached(cache.place, second), undefined);
  assert.ok(readCached(cache.place, others.at(-1)!));
});

test('what a killed process left half written goes, and is never read', async (t) => {
  const { folder, cache } = await open(t);
  cache.keep(digestOf('owl'), vector);
  await cache.close();
  const path = vectorPath(cache.place, digestOf('owl'));
  const half = `${path}.of-a-killed-process.part`;
  await writeFile(half, 'half');
  await utimes(half, 1, 1);
  const other = openVectorCache({ folder, bytesMax: 64 * MiB, madeBy: ['x'], onFailed: assert.fail });
  other.keep(digestOf('owl'), vector);
  await other.close();
  const names = await readdir(join(path, '..'));
  assert.deepEqual(
    names.filter((name) => name.endsWith('.part')),
    [],
  );
});

test('a folder that cannot be made is refused, and a vector that cannot be written is told of', async (t) => {
  const { folder, cache, failures } = await open(t);
  await writeFile(join(folder, 'file'), '');
  const options = { bytesMax: 64 * MiB, madeBy: [], onFailed: assert.fail };
  assert.throws(() => openVectorCache({ ...options, folder: join(folder, 'file', 'cache') }), {
    code: 'USAGE',
    message: /ENOTDIR .*name another, or leave it out/,
  });
  const digest = digestOf('owl');
  await writeFile(join(folder, Buffer.from(digest, 'base64')[0]!.toString(16).padStart(2, '0')), 'no folder');
  cache.keep(digest, vector);
  await cache.close();
  assert.equal((failures[0] as NodeJS.ErrnoException).code, 'EEXIST');
  assert.ok((await stat(folder)).isDirectory());
});
