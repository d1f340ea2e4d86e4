import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { rootAddress, trustedAddress } from '../../../src/producer/sources/address.ts';
import { formatRootUri, parseRoots, parseRootUri } from '../../../src/shared/refs/roots.ts';

const cwd = realpathSync(mkdtempSync(join(tmpdir(), 'clipfleet-roots-')));
after(() => rmSync(cwd, { recursive: true, force: true }));
for (const name of ['photos/inner', 'more', 'a=b', 'bad name=more'])
  mkdirSync(join(cwd, name), { recursive: true });
writeFileSync(join(cwd, 'file'), '');
symlinkSync('photos', join(cwd, 'by-link'));

test('without any --root the working directory is the default root', () => {
  assert.deepEqual([...parseRoots([], cwd)], [['.', cwd]]);
});

test('roots have names, or are the default one, and whoever names one serves no other', () => {
  assert.deepEqual(
    [...parseRoots(['data=photos', `More_2-x=${join(cwd, 'more')}`], cwd)],
    [
      ['data', join(cwd, 'photos')],
      ['More_2-x', join(cwd, 'more')],
    ],
  );
  assert.deepEqual([...parseRoots(['photos/'], cwd)], [['.', join(cwd, 'photos')]]);
});

test('a directory may hold "="', () => {
  assert.deepEqual([...parseRoots(['./a=b'], cwd)], [['.', join(cwd, 'a=b')]]);
  assert.deepEqual([...parseRoots(['x=a=b'], cwd)], [['x', join(cwd, 'a=b')]]);
  assert.deepEqual([...parseRoots(['bad name=more'], cwd)], [['.', join(cwd, 'bad name=more')]]);
});

test('all faults come together', () => {
  assert.throws(
    () =>
      parseRoots(
        ['x=photos', 'x=more', 'y=nowhere', 'z=file', 'w=', 'photos', 'more', `${'n'.repeat(65)}=more`],
        cwd,
      ),
    (error: Error & { code: string }) => {
      assert.equal(error.code, 'USAGE');
      const lines = error.message.split('\n');
      assert.match(lines[0]!, /x=more: the name "x" is given twice/);
      assert.match(lines[1]!, /y=nowhere: .*ENOENT/);
      assert.match(lines[2]!, /z=file: expected a directory/);
      assert.match(lines[3]!, /w=: expected a directory, got nothing/);
      assert.match(lines[4]!, /--root more: the name "\." is given twice/);
      assert.match(lines[5]!, /n=more: .*ENOENT/);
      assert.match(lines.at(-1)!, /\[NAME=\]DIR/);
      return true;
    },
  );
});

test('a root: uri comes back as it went, whatever the file is called', () => {
  for (const path of [
    'a.jpg',
    'b c/d#e?f%20.jpg',
    'ünï/猫🦊.jpg',
    "q'&+;=@:.jpg",
    'back\\slash.jpg',
    'new\nline.jpg',
  ]) {
    const uri = formatRootUri('data', path);
    assert.match(uri, /^root:\/\/data\/[\w.~!*'()%/-]+$/);
    assert.deepEqual(parseRootUri(uri), { name: 'data', path });
  }
});

const address = (roots: [string, string][]) => {
  const make = rootAddress(new Map(roots), cwd);
  return (path: string) => make(resolve(cwd, path), path);
};

test('a file is named under its innermost named root, else under the default root', () => {
  const uriOf = address([
    ['.', cwd],
    ['data', join(cwd, 'photos')],
    ['inner', join(cwd, 'photos/inner')],
  ]);
  assert.equal(uriOf('more/x y.jpg'), 'more/x y.jpg');
  assert.equal(uriOf('photos/x y.jpg'), 'root://data/x%20y.jpg');
  assert.equal(uriOf('photos/inner/deep/x.jpg'), 'root://inner/deep/x.jpg');
  assert.equal(uriOf('photosx.jpg'), 'photosx.jpg');
});

test('a plain path that reads like a URL is written so that it does not', () => {
  const uriOf = address([['.', cwd]]);
  assert.equal(uriOf('data:x.jpg'), './data:x.jpg');
  assert.equal(uriOf('file:x.jpg'), './file:x.jpg');
  assert.equal(uriOf('a:b.jpg'), 'a:b.jpg');
});

test('a file that is under a root only by a link is found, and one that is not is refused with the remedy', () => {
  const uriOf = address([['data', join(cwd, 'photos')]]);
  writeFileSync(join(cwd, 'photos/fox.jpg'), '');
  assert.equal(uriOf('by-link/fox.jpg'), 'root://data/fox.jpg');
  assert.throws(() => uriOf('more/fox.jpg'), {
    code: 'USAGE',
    message: /^more\/fox\.jpg: .*data=.*--root NAME=DIR/,
  });
  assert.throws(() => uriOf('photos-too/fox.jpg'), { code: 'USAGE' });
});

test('a trusted path becomes an absolute file: URL', () => {
  assert.equal(trustedAddress('/a b/c#d?e%f.jpg', 'x'), 'file:///a%20b/c%23d%3Fe%25f.jpg');
});
