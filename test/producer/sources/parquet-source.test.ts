import assert from 'node:assert/strict';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSource } from '../../../src/openSource.ts';
import { trustedAddress } from '../../../src/producer/sources/address.ts';
import type { ImageRef } from '../../../src/shared/refs/imageRef.ts';
import { repository } from '../../support/fleet.ts';
import { temporaryFolder } from '../../support/support.ts';

const fixtures = join(repository, 'test/parquet');

async function list(name: string, changes = {}): Promise<ImageRef[]> {
  const refs: ImageRef[] = [];
  const options = { cwd: fixtures, address: trustedAddress, ...changes };
  for await (const ref of openSource([name], options)) refs.push(ref);
  return refs;
}

const uris = ['owl.jpg', 'car.jpg', 'cat.webp', 'fox.jpg'].map(
  (name) => `file://${join(repository, 'examples/pictures', name)}`,
);

test('the columns of img2dataset are found, over all row groups, and a row without a url names its place', async () => {
  const refs = await list('snappy.parquet');
  assert.deepEqual(
    refs.map(({ id }) => id),
    ['000000000', '000000001', '000000002', '000000003', '000000004'],
  );
  assert.deepEqual(
    refs.map(({ uri }) => uri),
    [uris[0], uris[1], 'missing://snappy.parquet:3', uris[2], uris[3]],
  );
});

test('every codec is read, numbers are ids, and names are found whatever their case', async () => {
  for (const codec of ['zstd', 'gzip', 'brotli', 'none']) {
    const refs = await list(`${codec}.parquet`);
    assert.deepEqual(
      refs.map(({ id }) => id),
      ['0', '1', '2', '3', '4'],
      codec,
    );
    assert.equal(refs[4]!.uri, uris[3]);
  }
});

test('other columns are named by flags', async () => {
  const refs = await list('snappy.parquet', { urlColumn: 'key', idColumn: 'url' });
  assert.deepEqual(refs[0], {
    id: '../../examples/pictures/owl.jpg',
    uri: `file://${join(fixtures, '000000000')}`,
  });
  await assert.rejects(list('snappy.parquet', { urlColumn: 'link' }), {
    code: 'USAGE',
    message: /expected the column "link", got "caption", "url", "key", "exif"; .*--url-column/,
  });
  await assert.rejects(list('snappy.parquet', { idColumn: 'number' }), { message: /--id-column/ });
});

test('a file that holds the images themselves has no addresses', async () => {
  await assert.rejects(list('images.parquet'), { code: 'USAGE', message: /got "label"; / });
});

test('what is no Parquet, or breaks off, is said before anything starts', async (t) => {
  const folder = await temporaryFolder(t);
  const whole = await readFile(join(fixtures, 'snappy.parquet'));
  await copyFile(join(fixtures, 'make.py'), join(folder, 'text.parquet'));
  await writeFile(join(folder, 'half.parquet'), whole.subarray(0, whole.length / 2));
  await writeFile(join(folder, 'hole.parquet'), Buffer.from(whole).fill(0xff, 4, 300));
  for (const name of ['text.parquet', 'half.parquet', 'hole.parquet']) {
    await assert.rejects(list(name, { cwd: folder }), {
      code: 'USAGE',
      message: new RegExp(`^${name}: expected a Parquet file that is whole`),
    });
  }
});
