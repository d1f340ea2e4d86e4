import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { type OpenSourceOptions, openSource } from '../../../src/openSource.ts';
import { rootAddress, trustedAddress } from '../../../src/producer/sources/address.ts';
import { detectFormat } from '../../../src/producer/sources/detectFormat.ts';
import { type ImageRef, imageRefSchema } from '../../../src/shared/refs/imageRef.ts';
import { createFetcher } from '../../../src/worker/fetch/fetch.ts';
import { temporaryFolder } from '../../support/support.ts';

/** The refs of a list of this name and content, as `[id, uri]`; uris below the list's folder without it. */
async function refsOf(
  t: TestContext,
  name: string,
  content: string | Buffer,
  changes: OpenSourceOptions = {},
): Promise<string[][]> {
  const cwd = await temporaryFolder(t);
  await mkdir(join(cwd, 'lists'));
  await writeFile(join(cwd, 'lists', name), content);
  const refs = await list(`lists/${name}`, { cwd, address: trustedAddress, ...changes });
  return refs.map(({ id, uri }) => [id, uri.replace(`file://${cwd}/lists/`, 'here:')]);
}

async function list(name: string, options: OpenSourceOptions): Promise<ImageRef[]> {
  const refs: ImageRef[] = [];
  for await (const ref of openSource([name], options)) refs.push(imageRefSchema.parse(ref));
  return refs;
}

test('a text has a path or URL a line, relative to its folder; blank lines are passed over', async (t) => {
  const text =
    '\uFEFFowl.jpg\r\n\n  sub/a b.jpg  \n#1.jpg\nhttps://example.org/x.jpg?a=1\n/abs.jpg\nroot://data/y.jpg\ndata:,x';
  const expected = [
    ['owl.jpg', 'here:owl.jpg'],
    ['sub/a b.jpg', 'here:sub/a%20b.jpg'],
    ['#1.jpg', 'here:%231.jpg'],
    ['https://example.org/x.jpg?a=1', 'https://example.org/x.jpg?a=1'],
    ['/abs.jpg', 'file:///abs.jpg'],
    ['root://data/y.jpg', 'root://data/y.jpg'],
    ['data:707ce201c2f97b77', 'data:,x'],
  ];
  assert.deepEqual(await refsOf(t, 'a.txt', text), expected);
  assert.deepEqual(await refsOf(t, 'a.TXT.gz', gzipSync(text)), expected);
  assert.deepEqual(await refsOf(t, 'unpacked.txt.gz', text), expected, 'unpacked on its way');
  const two = Buffer.concat([gzipSync('a.jpg\nb.'), gzipSync('jpg\n')]);
  assert.deepEqual(
    (await refsOf(t, 'two.txt.gz', two)).map(([id]) => id),
    ['a.jpg', 'b.jpg'],
  );
});

test('CSV and TSV: quotes, commas and line breaks in cells, columns by their usual names or by flags', async (t) => {
  const csv =
    '\uFEFFcaption,URL,key\n"a ""quoted"", long\ncaption",a.jpg,1\n5" disk, b.jpg ,2\r\n\n,"c,d.jpg",\n';
  assert.deepEqual(await refsOf(t, 'a.csv', csv), [
    ['1', 'here:a.jpg'],
    ['2', 'here:b.jpg'],
    ['c,d.jpg', 'here:c,d.jpg'],
  ]);
  const tsv = 'url\timage\tname\na.jpg\tb.jpg\tx,y\n';
  assert.deepEqual(await refsOf(t, 'a.tsv', tsv), [['a.jpg', 'here:a.jpg']]);
  const named = { urlColumn: 'image', idColumn: 'name' };
  assert.deepEqual(await refsOf(t, 'a.tsv.gz', gzipSync(tsv), named), [['x,y', 'here:b.jpg']]);
});

test('JSON lines: objects or texts, ids may be numbers, and U+2028 breaks no line', async (t) => {
  const lines = [
    '\uFEFF{"url":"a.jpg","id":7}',
    '"b\u2028.jpg"',
    '',
    '{"custom_id":"c","file_name":"c.jpg","extra":{}}',
  ];
  for (const name of ['a.jsonl', 'a.ndjson']) {
    assert.deepEqual(await refsOf(t, name, lines.join('\n')), [
      ['7', 'here:a.jpg'],
      ['b\u2028.jpg', 'here:b%E2%80%A8.jpg'],
      ['c', 'here:c.jpg'],
    ]);
  }
});

test('a row that names no image becomes a ref that fails at the worker, and says which row it was', async (t) => {
  const csv = 'id,url\nx,\ny,  \n,\nz,z.jpg\n';
  assert.deepEqual(await refsOf(t, 'a.csv', csv), [
    ['x', 'missing://lists/a.csv:2'],
    ['y', 'missing://lists/a.csv:3'],
    ['lists/a.csv:4', 'missing://lists/a.csv:4'],
    ['z', 'here:z.jpg'],
  ]);
  const jsonl = '{"url":"a.jpg"}\n{"url":null}\n{"url":["b.jpg"]}\n[1]\n{broken\n';
  const refs = await refsOf(t, 'a.jsonl', jsonl);
  assert.deepEqual(
    refs.slice(1),
    ['2', '3', '4', '5#expected JSON, got a line that is none'].map((line) => [
      `lists/a.jsonl:${Number.parseInt(line, 10)}`,
      `missing://lists/a.jsonl:${line}`,
    ]),
  );
  const fetcher = createFetcher({
    bytesMax: 10,
    timeoutMs: 1000,
    redirectsMax: 0,
    allowPrivateAddresses: false,
    userAgent: 'x',
  });
  t.after(() => fetcher.close());
  await assert.rejects(fetcher.fetchImage({ id: 'x', uri: refs[1]![1]! }), {
    code: 'IMAGE_URI_INVALID',
    message: /missing:\/\/lists\/a\.jsonl:2.*row of a list that names no image/,
  });
});

test('ids that are numbers are kept as the list writes them', async (t) => {
  const jsonl =
    '{"id":1234567890123456781,"url":"a.jpg"}\n{"id":1234567890123456782,"url":"b.jpg"}\n' +
    '{"id":1e3,"url":"c.jpg","id":2e3}\n{"id":-1.50,"url":20261127}\n{"url":"e.jpg","meta":{"id":7},"id":true}\n';
  assert.deepEqual(await refsOf(t, 'a.jsonl', jsonl), [
    ['1234567890123456781', 'here:a.jpg'],
    ['1234567890123456782', 'here:b.jpg'],
    ['2e3', 'here:c.jpg'],
    ['-1.50', 'here:20261127'],
    ['e.jpg', 'here:e.jpg'],
  ]);
});

test('a row of more or fewer cells than its header is one row that fails and says so', async (t) => {
  const csv = 'url,id\nhttps://example.org/a,b.jpg,1\nb.jpg\n"c,d.jpg",3\n';
  const refs = await refsOf(t, 'a.csv', csv);
  const more =
    'expected 2 cells as in the header, got 3; put a cell that holds the separator in double quotes';
  assert.deepEqual(refs, [
    ['lists/a.csv:2', `missing://lists/a.csv:2#${more}`],
    ['lists/a.csv:3', 'missing://lists/a.csv:3#expected 2 cells as in the header, got 1'],
    ['3', 'here:c,d.jpg'],
  ]);
  const idFirst = await refsOf(t, 'b.csv', 'id,url\n7,x?a=1,2\n');
  assert.equal(idFirst[0]![0], '7');
  const fetcher = createFetcher({
    bytesMax: 10,
    timeoutMs: 1000,
    redirectsMax: 0,
    allowPrivateAddresses: false,
    userAgent: 'x',
  });
  t.after(() => fetcher.close());
  await assert.rejects(fetcher.fetchImage({ id: 'x', uri: refs[0]![1]! }), {
    code: 'IMAGE_URI_INVALID',
    message: /a\.csv:2.*names no image: expected 2 cells as in the header, got 3; put a cell/,
  });
});

test('lists as spreadsheets save them: semicolons, tabs, sep=, UTF-16', async (t) => {
  const expected = [
    ['1', 'here:a.jpg'],
    ['2', 'here:b,c.jpg'],
  ];
  const table = (separator: string) => `id${separator}URL\r\n1${separator}a.jpg\r\n2${separator}b,c.jpg\r\n`;
  assert.deepEqual(await refsOf(t, 'a.csv', table(';')), expected);
  assert.deepEqual(await refsOf(t, 'b.csv', table('\t')), expected);
  assert.deepEqual(await refsOf(t, 'c.csv', `\uFEFFsep=|\r\n${table('|')}`), expected);
  const utf16 = Buffer.from(`\uFEFF${table('\t')}`, 'utf16le');
  assert.deepEqual(await refsOf(t, 'd.tsv', utf16), expected);
  assert.deepEqual(await refsOf(t, 'e.tsv', Buffer.from(utf16).swap16()), expected);
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
    await assert.rejects(refsOf(t, name, content), { code: 'USAGE', message });
  await assert.rejects(refsOf(t, 'a.csv', 'url\na.jpg\n', { idColumn: 'nr' }), { message: /--id-column/ });
  await assert.rejects(refsOf(t, 'empty.csv', 'url\n'), { code: 'NO_IMAGES' });
});

test('an archive given as a text is refused, not read as thousands of paths', async (t) => {
  const header = Buffer.alloc(512);
  header.write('pictures/owl.jpg');
  const archive = Buffer.concat([header, Buffer.from('one\ntwo\n')]);
  const refused = { code: 'USAGE', message: /a\.txt: expected text .* a NUL byte/ };
  await assert.rejects(refsOf(t, 'a.txt', archive), refused);
});

test('a path outside the roots is said of the first row, and fails alone in a later one', async (t) => {
  const cwd = await temporaryFolder(t);
  const address = rootAddress(new Map([['data', join(cwd, 'data')]]), cwd);
  await writeFile(join(cwd, 'in.txt'), 'data/a.jpg\n../b.jpg\n');
  await writeFile(join(cwd, 'out.txt'), '../b.jpg\ndata/a.jpg\n');
  assert.deepEqual(await list('in.txt', { cwd, address }), [
    { id: 'data/a.jpg', uri: 'root://data/a.jpg' },
    { id: '../b.jpg', uri: join(cwd, '../b.jpg') },
  ]);
  await assert.rejects(list('out.txt', { cwd, address }), {
    code: 'USAGE',
    message: /^out\.txt:1: \.\.\/b\.jpg: /,
  });
});

test('a list in a folder is not followed, and a list given twice is read once', async (t) => {
  const cwd = await temporaryFolder(t);
  await mkdir(join(cwd, 'p'));
  await writeFile(join(cwd, 'p/a.jpg'), '');
  await writeFile(join(cwd, 'p/list.csv'), 'url\nb.jpg\n');
  const idsOf = async (...names: string[]) => {
    const ids: string[] = [];
    for await (const { id } of openSource(names, { cwd, address: trustedAddress })) ids.push(id);
    return ids;
  };
  assert.deepEqual(await idsOf('p'), ['p/a.jpg']);
  assert.deepEqual(await idsOf('p/*', 'p/list.csv', './p/list.csv'), ['p/a.jpg', 'b.jpg']);
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
  await assert.rejects(refsOf(t, 'a.txt', content), {
    code: 'SOURCE_INVALID',
    message: /a line of more than/,
  });
});

test('standard input is what its first line says', async () => {
  const cases: [string, string, object?][] = [
    ['{"url":"a.jpg"}\n', 'jsonl'],
    ['\n "a.jpg"\n', 'jsonl'],
    ['{not json}.jpg\n', 'text'],
    ['id,URL\n', 'csv'],
    ['"id","url"\r\n1,2\n', 'csv'],
    ['\uFEFFurl', 'csv'],
    ['id\turl\n', 'tsv'],
    ['link,id\n', 'csv', { urlColumn: 'link' }],
    ['a.jpg\nurl\n', 'text'],
    ['a,b.jpg\n', 'text'],
    ['', 'text'],
  ];
  for (const [content, expected, choice = {}] of cases) {
    async function* byteByByte() {
      for (const byte of Buffer.from(content)) yield Buffer.from([byte]);
    }
    const { format, all } = await detectFormat(byteByByte(), choice);
    assert.equal(format, expected, JSON.stringify(content));
    const pieces: Uint8Array[] = [];
    for await (const piece of all) pieces.push(piece);
    assert.equal(Buffer.concat(pieces).toString(), content);
  }
});

test('rows are not remembered', async (t) => {
  const cwd = await temporaryFolder(t);
  const rows = Array.from(
    { length: 200_000 },
    (_, i) => `${i},https://example.org/${'x'.repeat(60)}/${i}.jpg\n`,
  );
  await writeFile(join(cwd, 'a.csv.gz'), gzipSync(`key,url\n${rows.join('')}`));
  rows.length = 0;
  const measured: number[] = [];
  let count = 0;
  for await (const _ of openSource(['a.csv.gz'], { cwd, address: trustedAddress })) {
    if (++count % 50_000 === 0) measured.push(usedAfterCollection());
  }
  assert.equal(count, 200_000);
  assert.ok(measured.at(-1)! - measured[0]! < 5e6, `the heap grew: ${measured.join(', ')}`);
});

/** The flag is set here, because the suite runs without it. */
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function usedAfterCollection(): number {
  collect();
  return process.memoryUsage().heapUsed;
}
