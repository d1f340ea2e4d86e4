import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { rootAddress, trustedAddress } from '../../../src/producer/sources/address.ts';
import { decodeName, encodeName, nameOfBytes, pathBytes } from '../../../src/shared/refs/byteNames.ts';
import { parseRoots } from '../../../src/shared/refs/roots.ts';
import { demoModel, jsonLines, pictures, startFleet } from '../../support/fleet.ts';
import { sourceRefsOf } from '../../support/listRefs.ts';
import { readUrl } from '../../support/readImage.ts';
import { temporaryFolder } from '../../support/support.ts';

/** macOS takes no such names. */
const onlyWhereNamesAreBytes = { skip: process.platform === 'darwin' && 'names are text here' };

const latin = (text: string) => Buffer.from(text, 'latin1');

/** A folder in a folder, with three names of bytes that are no UTF-8 and one that is; each file holds its own name. */
async function folderOfBytes(t: TestContext): Promise<string> {
  const cwd = await temporaryFolder(t);
  const below = Buffer.concat([Buffer.from(join(cwd, 'd/')), latin('\xfcber')]);
  await mkdir(below, { recursive: true });
  const names = [
    latin('d/caf\xe9.jpg'),
    latin('d/caf\xe8.jpg'),
    latin('d/\xfcber/a#%.jpg'),
    Buffer.from('d/猫𠲖.jpg'),
  ];
  for (const name of names) await writeFile(Buffer.concat([Buffer.from(`${cwd}/`), name]), name);
  return cwd;
}

const ids = ['d/caf\\xE8.jpg', 'd/caf\\xE9.jpg', 'd/猫𠲖.jpg', 'd/\\xFCber/a#%.jpg'];
const contents = [
  latin('d/caf\xe8.jpg'),
  latin('d/caf\xe9.jpg'),
  Buffer.from('d/猫𠲖.jpg'),
  latin('d/\xfcber/a#%.jpg'),
];

test(
  'names that are not UTF-8 are read and told apart, by their own user and by a fleet',
  onlyWhereNamesAreBytes,
  async (t) => {
    const cwd = await folderOfBytes(t);
    for (const roots of [undefined, ['.'], ['data=d']]) {
      const served = parseRoots(roots ?? [], cwd);
      const address = roots === undefined ? trustedAddress : rootAddress(served, cwd);
      const refs = await sourceRefsOf(['d'], { cwd, address });
      assert.deepEqual(
        refs.map(({ id }) => id),
        ids,
      );
      const how = { roots: served, trustPaths: roots === undefined };
      const read = await Promise.all(refs.map(({ uri }) => readUrl(uri, how)));
      assert.deepEqual(read, contents);
    }
  },
);

test('a name is the same bytes after every change of form', () => {
  for (const bytes of [
    latin('caf\xe9'),
    Buffer.from('猫𠲖%é'),
    latin('\xed\xa0\x80\xf0\x9f'),
    Buffer.from([0xc3, 0x28]),
  ]) {
    const name = nameOfBytes(bytes);
    assert.deepEqual(Buffer.from(pathBytes(name)), bytes);
    assert.equal(decodeName(encodeName(name)), name);
  }
  assert.throws(() => decodeName('100%'), URIError);
});

test(
  'a glob that meets such a name, and one that is typed, say what to do',
  onlyWhereNamesAreBytes,
  async (t) => {
    const cwd = await folderOfBytes(t);
    const refused = { code: 'USAGE', message: /its name is not UTF-8: give its folder/ };
    await assert.rejects(sourceRefsOf(['d/*.jpg'], { cwd }), refused);
    await assert.rejects(sourceRefsOf(['d/caf\uFFFD.jpg'], { cwd }), refused);
  },
);

test(
  'each of them gets a row of `label`, and two members of one name are said',
  onlyWhereNamesAreBytes,
  async (t) => {
    const fleet = await startFleet(t);
    const { folder } = fleet;
    const [owl, fox] = [await readFile(join(pictures, 'owl.jpg')), await readFile(join(pictures, 'fox.jpg'))];
    await mkdir(join(folder, 'd'));
    const path = (name: string) => Buffer.concat([Buffer.from(`${folder}/d/`), latin(name)]);
    await writeFile(path('caf\xe9.jpg'), owl);
    await writeFile(path('caf\xe8.jpg'), fox);
    await writeFile(
      join(folder, 'a.tar'),
      tarOf([
        ['caf\xe9.jpg', owl],
        ['caf\xe8.jpg', fox],
        ['x.jpg', owl],
        ['x.jpg', fox],
      ]),
    );
    const how = ['--labels', 'owl,fox', '--model', demoModel, '--output', 'rows.jsonl'];
    const { code, stderr } = await fleet.run('label', 'd', 'a.tar', ...how);
    assert.equal(code, 0, stderr);
    const rows = jsonLines<{ id: string; predictions: { label: string }[] }>(
      await readFile(join(folder, 'rows.jsonl'), 'utf8'),
    );
    const found = rows.map(({ id, predictions }) => [id, predictions[0]!.label]);
    assert.deepEqual(found.slice(0, 4), [
      ['d/caf\\xE8.jpg', 'fox'],
      ['d/caf\\xE9.jpg', 'owl'],
      ['a/caf\\xE9.jpg', 'owl'],
      ['a/caf\\xE8.jpg', 'fox'],
    ]);
    assert.equal(found.length, 5);
    assert.match(stderr, /1 more came twice|1 image came twice/);
  },
);

/** A tar archive of ustar, whose names are bytes written as characters of their number. */
function tarOf(members: [string, Buffer][]): Buffer {
  const blocks = members.flatMap(([name, content]) => {
    const header = Buffer.alloc(512);
    header.write(name, 0, 'latin1');
    header.write(content.length.toString(8).padStart(11, '0'), 124);
    header.fill(' ', 148, 156);
    header.write('0', 156);
    header.write('ustar\x0000', 257, 'latin1');
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}
