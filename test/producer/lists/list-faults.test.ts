import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { openSource } from '../../../src/openSource.ts';
import { rootAddress, trustedAddress } from '../../../src/producer/sources/address.ts';
import { refsOfList, sourceRefsOf } from '../../support/listRefs.ts';
import { readImage } from '../../support/readImage.ts';
import { temporaryFolder } from '../../support/support.ts';

const readOptions = {
  roots: new Map(),
  trustPaths: false,
  bytesMax: 10,
  timeoutMs: 1000,
  redirectsMax: 0,
  allowPrivateAddresses: false,
  userAgent: 'x',
};

test('a row that names no image becomes a ref that fails at the worker, and says which row it was', async (t) => {
  const csv = 'id,url\nx,\ny,  \n,\nz,z.jpg\n';
  assert.deepEqual(await refsOfList(t, 'a.csv', csv), [
    ['x', 'missing://lists/a.csv:2'],
    ['y', 'missing://lists/a.csv:3'],
    ['lists/a.csv:4', 'missing://lists/a.csv:4'],
    ['z', 'here:z.jpg'],
  ]);
  const jsonl = '{"url":"a.jpg"}\n{"url":null}\n{"url":["b.jpg"]}\n[1]\n{broken\n';
  const refs = await refsOfList(t, 'a.jsonl', jsonl);
  assert.deepEqual(
    refs.slice(1),
    ['2', '3', '4', '5#expected JSON, got a line that is none'].map((line) => [
      `lists/a.jsonl:${Number.parseInt(line, 10)}`,
      `missing://lists/a.jsonl:${line}`,
    ]),
  );
  await assert.rejects(readImage(refs[1]![1]!, readOptions), {
    code: 'IMAGE_URI_INVALID',
    message: /missing:\/\/lists\/a\.jsonl:2.*row of a list that names no image/,
  });
});

test('a row of more or fewer cells than its header is one row that fails and says so', async (t) => {
  const csv = 'url,id\nhttps://example.org/a,b.jpg,1\nb.jpg\n"c,d.jpg",3\n';
  const refs = await refsOfList(t, 'a.csv', csv);
  const more =
    'expected 2 cells as in the header, got 3; put a cell that holds the separator in double quotes';
  assert.deepEqual(refs, [
    ['lists/a.csv:2', `missing://lists/a.csv:2#${more}`],
    ['lists/a.csv:3', 'missing://lists/a.csv:3#expected 2 cells as in the header, got 1'],
    ['3', 'here:c,d.jpg'],
  ]);
  const idFirst = await refsOfList(t, 'b.csv', 'id,url\n7,x?a=1,2\n');
  assert.equal(idFirst[0]![0], '7');
  await assert.rejects(readImage(refs[0]![1]!, readOptions), {
    code: 'IMAGE_URI_INVALID',
    message: /a\.csv:2.*names no image: expected 2 cells as in the header, got 3; put a cell/,
  });
});

test('what is wrong with the first line is wrong with the list, and is said with what was found and the flag', async (t) => {
  const cases: [string, string, RegExp][] = [
    [
      'a.csv',
      'name,link\nx,y\n',
      /lists\/a\.csv, line 1: expected a column url, .*got "name", "link"; .*--url-column/,
    ],
    ['a.tsv', 'name,url\nx\ty\n', /got "name,url"/],
    ['a.jsonl', '\n{"name":"x"}\n', /a\.jsonl, line 2: expected a column url, .*got "name"/],
    ['b.jsonl', 'a.jpg\n', /expected a JSON object or a text/],
    ['c.json', '[{"url":"a.jpg"}]', /JSON lines \(\.jsonl\)/],
  ];
  for (const [name, content, message] of cases)
    await assert.rejects(refsOfList(t, name, content), { code: 'USAGE', message });
  await assert.rejects(refsOfList(t, 'a.csv', 'url\na.jpg\n', { idColumn: 'nr' }), {
    message: /--id-column/,
  });
  await assert.rejects(refsOfList(t, 'empty.csv', 'url\n'), { code: 'NO_IMAGES' });
});

test('an archive given as a text is refused, not read as thousands of paths', async (t) => {
  const header = Buffer.alloc(512);
  header.write('pictures/owl.jpg');
  const archive = Buffer.concat([header, Buffer.from('one\ntwo\n')]);
  const refused = { code: 'USAGE', message: /a\.txt: expected text .* a NUL byte/ };
  await assert.rejects(refsOfList(t, 'a.txt', archive), refused);
});

test('a path outside the roots is said of the first row, and fails alone in a later one', async (t) => {
  const cwd = await temporaryFolder(t);
  const address = rootAddress(new Map([['data', join(cwd, 'data')]]), cwd);
  await writeFile(join(cwd, 'in.txt'), 'data/a.jpg\n../b.jpg\n');
  await writeFile(join(cwd, 'out.txt'), '../b.jpg\ndata/a.jpg\n');
  assert.deepEqual(await sourceRefsOf(['in.txt'], { cwd, address }), [
    { id: 'data/a.jpg', uri: 'root://data/a.jpg' },
    { id: '../b.jpg', uri: join(cwd, '../b.jpg') },
  ]);
  await assert.rejects(sourceRefsOf(['out.txt'], { cwd, address }), {
    code: 'USAGE',
    message: /^out\.txt:1: \.\.\/b\.jpg: /,
  });
});

test('a gzip that is corrupt in the middle gives what was before, then names file and line', async (t) => {
  const cwd = await temporaryFolder(t);
  const rows = Array.from({ length: 50_000 }, (_, i) => `${i},${Math.sin(i)}.jpg\n`).join('');
  const whole = gzipSync(`id,url\n${rows}`);
  const half = whole.length >> 1;
  const cases: [string, Buffer, RegExp][] = [
    ['cut.csv.gz', whole.subarray(0, half), /unexpected end of file/],
    ['changed.csv.gz', Buffer.from(whole).fill(0, half), /./],
  ];
  for (const [name, content, what] of cases) {
    await writeFile(join(cwd, name), content);
    let count = 0;
    const read = async () => {
      for await (const _ of openSource([name], { cwd, address: trustedAddress })) count++;
    };
    await assert.rejects(read(), (error: Error & { code: string }) => {
      assert.equal(error.code, 'SOURCE_INVALID');
      assert.match(error.message, what);
      const line = Number(
        /^\S+: expected csv to its end, got .* after line (\d+)\./.exec(error.message)?.[1],
      );
      assert.equal(line, count + 1);
      return true;
    });
    assert.ok(count > 1000 && count < 50_000, `${count} rows before`);
  }
});

test('a line without an end is an error, not the memory’s end', async (t) => {
  const content = Buffer.concat([Buffer.from('a.jpg\n'), Buffer.alloc(9 * 1024 * 1024, 0x78)]);
  await assert.rejects(refsOfList(t, 'a.txt', content), {
    code: 'SOURCE_INVALID',
    message: /a line of more than/,
  });
});
