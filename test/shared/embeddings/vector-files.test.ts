import assert from 'node:assert/strict';
import { appendFile, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readVectors } from '../../../src/shared/embeddings/readVectors.ts';
import type { KeptVector } from '../../../src/shared/embeddings/vectorRecord.ts';
import { createVectorWriter, type VectorFileHead } from '../../../src/shared/embeddings/vectorWriter.ts';
import { temporaryFolder } from '../../support/support.ts';

const head: VectorFileHead = { v: 1, run: 'r', birth: 'b', fingerprint: 'f', dimensions: 4 };
const of = (folder: string, fingerprint = 'f') => ({ folder, birth: 'b', fingerprint });

function vector(id: string, index: number): KeptVector {
  const half = Uint8Array.from({ length: 8 }, (_, i) => index + i);
  return { id, uri: index % 2 ? id : `file:///${id}`, generation: index, place: { chunk: 300, index }, half };
}

async function idsIn(folder: string, torn: number[] = []): Promise<string[]> {
  const ids: string[] = [];
  const onTorn = (_: string, bytes: number) => torn.push(bytes);
  for await (const { vectors } of readVectors(of(folder), { onTorn }))
    ids.push(...vectors.map(({ id }) => id));
  return ids;
}

test('vectors are read as they were kept, by several writers at the same time', async (t) => {
  const folder = join(await temporaryFolder(t), 'new');
  const [one, other] = [createVectorWriter(folder, head), createVectorWriter(folder, head)];
  const kept = Array.from({ length: 40 }, (_, i) => vector(`日本 ${i}`, i));
  await Promise.all(kept.map((each, i) => (i < 20 ? one : other).keep([each])));
  const read: KeptVector[] = [];
  for await (const { dimensions, vectors } of readVectors(of(folder))) {
    assert.equal(dimensions, 4);
    read.push(
      ...vectors.map(({ from: _, to: __, ...each }) => ({ ...each, half: Uint8Array.from(each.half) })),
    );
  }
  assert.equal((await readdir(folder)).length, 2);
  assert.deepEqual(
    read.sort((a, b) => a.generation - b.generation),
    kept,
  );
  await one.close();
  await other.close();
});

test('wherever a file is cut off, what is whole before is read, and nothing else', async (t) => {
  const folder = await temporaryFolder(t);
  const writer = createVectorWriter(folder, head);
  await writer.keep([vector('a', 1)]);
  const [name] = await readdir(folder);
  const path = join(folder, name!);
  const afterFirst = (await readFile(path)).length;
  await writer.keep([vector('b', 2)]);
  await writer.close();
  const whole = await readFile(path);
  for (let length = 0; length <= whole.length; length++) {
    await writeFile(path, whole);
    await truncate(path, length);
    const expected = length === whole.length ? ['a', 'b'] : length >= afterFirst ? ['a'] : [];
    assert.deepEqual(await idsIn(folder), expected, `${length} bytes`);
  }
  // A page of zeros, as a file system leaves it that lost power.
  await writeFile(path, whole);
  await appendFile(path, Buffer.alloc(4096));
  const torn: number[] = [];
  assert.deepEqual([await idsIn(folder, torn), torn], [['a', 'b'], [4096]]);
  whole[whole.length - 1]! ^= 1;
  await writeFile(path, whole);
  assert.deepEqual(await idsIn(folder), ['a']);
});

test('a file that is large is followed by another', async (t) => {
  const folder = await temporaryFolder(t);
  const writer = createVectorWriter(folder, head, 1);
  for (let i = 0; i < 10; i++) await writer.keep([vector(String(i), i)]);
  await writer.close();
  assert.equal((await readdir(folder)).length, 10);
  assert.equal((await idsIn(folder)).length, 10);
});

test('vectors of another model, or none at all, are refused', async (t) => {
  const folder = await temporaryFolder(t);
  const writer = createVectorWriter(folder, head);
  await writer.keep([vector('a', 1)]);
  await writer.close();
  await assert.rejects(readVectors(of(folder, 'other')).next(), {
    code: 'VECTORS_UNUSABLE',
    message: /got those of f/,
  });
  await assert.rejects(readVectors(of(join(folder, 'none'))).next(), { code: 'VECTORS_UNUSABLE' });
});

test('vectors that cannot be written are not said to be kept', async (t) => {
  const folder = join(await temporaryFolder(t), 'file');
  await writeFile(folder, '');
  await assert.rejects(createVectorWriter(folder, head).keep([vector('a', 1)]), { code: 'EEXIST' });
});

test('vectors of an earlier run of the same id are passed over', async (t) => {
  const folder = await temporaryFolder(t);
  for (const birth of ['b', 'earlier']) {
    const writer = createVectorWriter(folder, { ...head, birth });
    await writer.keep([vector(birth, 1)]);
    await writer.close();
  }
  assert.deepEqual(await idsIn(folder), ['b']);
});
