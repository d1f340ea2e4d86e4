import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { openSource } from '../../../src/openSource.ts';
import { detectFormat } from '../../../src/producer/lists/detectFormat.ts';
import { trustedAddress } from '../../../src/producer/sources/address.ts';
import { refsOfList } from '../../support/listRefs.ts';
import { temporaryFolder } from '../../support/support.ts';

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
  assert.deepEqual(await refsOfList(t, 'a.txt', text), expected);
  assert.deepEqual(await refsOfList(t, 'a.TXT.gz', gzipSync(text)), expected);
  assert.deepEqual(await refsOfList(t, 'unpacked.txt.gz', text), expected, 'unpacked on its way');
  const two = Buffer.concat([gzipSync('a.jpg\nb.'), gzipSync('jpg\n')]);
  assert.deepEqual(
    (await refsOfList(t, 'two.txt.gz', two)).map(([id]) => id),
    ['a.jpg', 'b.jpg'],
  );
});

test('CSV and TSV: quotes, commas and line breaks in cells, columns by their usual names or by flags', async (t) => {
  const csv =
    '\uFEFFcaption,URL,key\n"a ""quoted"", long\ncaption",a.jpg,1\n5" disk, b.jpg ,2\r\n\n,"c,d.jpg",\n';
  assert.deepEqual(await refsOfList(t, 'a.csv', csv), [
    ['1', 'here:a.jpg'],
    ['2', 'here:b.jpg'],
    ['c,d.jpg', 'here:c,d.jpg'],
  ]);
  const tsv = 'url\timage\tname\na.jpg\tb.jpg\tx,y\n';
  assert.deepEqual(await refsOfList(t, 'a.tsv', tsv), [['a.jpg', 'here:a.jpg']]);
  const named = { urlColumn: 'image', idColumn: 'name' };
  assert.deepEqual(await refsOfList(t, 'a.tsv.gz', gzipSync(tsv), named), [['x,y', 'here:b.jpg']]);
});

test('JSON lines: objects or texts, ids may be numbers, and U+2028 breaks no line', async (t) => {
  const lines = [
    '\uFEFF{"url":"a.jpg","id":7}',
    '"b\u2028.jpg"',
    '',
    '{"custom_id":"c","file_name":"c.jpg","extra":{}}',
  ];
  for (const name of ['a.jsonl', 'a.ndjson']) {
    assert.deepEqual(await refsOfList(t, name, lines.join('\n')), [
      ['7', 'here:a.jpg'],
      ['b\u2028.jpg', 'here:b%E2%80%A8.jpg'],
      ['c', 'here:c.jpg'],
    ]);
  }
});

test('ids that are numbers are kept as the list writes them', async (t) => {
  const jsonl =
    '{"id":1234567890123456781,"url":"a.jpg"}\n{"id":1234567890123456782,"url":"b.jpg"}\n' +
    '{"id":1e3,"url":"c.jpg","id":2e3}\n{"id":-1.50,"url":20261127}\n{"url":"e.jpg","meta":{"id":7},"id":true}\n';
  assert.deepEqual(await refsOfList(t, 'a.jsonl', jsonl), [
    ['1234567890123456781', 'here:a.jpg'],
    ['1234567890123456782', 'here:b.jpg'],
    ['2e3', 'here:c.jpg'],
    ['-1.50', 'here:20261127'],
    ['e.jpg', 'here:e.jpg'],
  ]);
});

test('lists as spreadsheets save them: semicolons, tabs, sep=, UTF-16', async (t) => {
  const expected = [
    ['1', 'here:a.jpg'],
    ['2', 'here:b,c.jpg'],
  ];
  const table = (separator: string) => `id${separator}URL\r\n1${separator}a.jpg\r\n2${separator}b,c.jpg\r\n`;
  assert.deepEqual(await refsOfList(t, 'a.csv', table(';')), expected);
  assert.deepEqual(await refsOfList(t, 'b.csv', table('\t')), expected);
  assert.deepEqual(await refsOfList(t, 'c.csv', `\uFEFFsep=|\r\n${table('|')}`), expected);
  const utf16 = Buffer.from(`\uFEFF${table('\t')}`, 'utf16le');
  assert.deepEqual(await refsOfList(t, 'd.tsv', utf16), expected);
  assert.deepEqual(await refsOfList(t, 'e.tsv', Buffer.from(utf16).swap16()), expected);
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
