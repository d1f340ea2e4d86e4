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

test('ids of every type are as they are written, with every digit', async () => {
  const expected: Record<string, [string, string]> = {
    big: ['1234567890123456781', '1234567890123456782'],
    unsigned: ['18446744073709551614', '18446744073709551615'],
    decimal: ['12345678901234567.81', '-0.05'],
    short_decimal: ['1.20', '3.00'],
    whole_decimal: ['12345678901234567890123', '7'],
    micros: ['2026-11-27T01:02:03.456789', '1969-12-31T23:59:59.999999'],
    millis: ['2026-11-27T01:02:03.456', '2026-11-27T01:02:03.456'],
    nanos: ['2023-11-14T22:13:20.123456789', '2023-11-14T22:13:20.123456790'],
    day: ['2026-11-27', '1969-12-31'],
    uuid: ['01234567-89ab-cdef-0123-456789abcdef', '01234567-89ab-cdef-0123-456789abcdef'],
    fixed: ['00ff10', '00ff10'],
    binary: ['text', 'ff00'],
    float: ['1.5', '2'],
  };
  for (const [idColumn, ids] of Object.entries(expected)) {
    const refs = await list('ids.parquet', { idColumn });
    assert.deepEqual(
      refs.map(({ id }) => id),
      ids,
      idColumn,
    );
  }
});

test('a column that cannot hold ids is refused before anything begins', async () => {
  await assert.rejects(list('ids.parquet', { idColumn: 'flag' }), {
    code: 'USAGE',
    message: /expected ids in the column "flag", got true and false; .*--id-column/,
  });
});
