import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { openSource } from '../../../src/openSource.ts';
import { rootAddress, trustedAddress } from '../../../src/producer/sources/address.ts';
import { type ImageRef, imageRefSchema } from '../../../src/shared/refs/imageRef.ts';
import { readImage } from '../../support/readImage.ts';

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A new folder with these files, each of which holds its own path. */
function folderWith(...files: string[]): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'clipfleet-source-')));
  folders.push(folder);
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), file);
  }
  return folder;
}

async function list(cwd: string, ...inputs: string[]): Promise<ImageRef[]> {
  const refs: ImageRef[] = [];
  for await (const ref of openSource(inputs, { cwd, address: trustedAddress }))
    refs.push(imageRefSchema.parse(ref));
  return refs;
}
const idsOf = async (cwd: string, ...inputs: string[]) => (await list(cwd, ...inputs)).map(({ id }) => id);

test('a folder gives its images, by ending, in the order of the code units, without hidden ones', async () => {
  const images = [
    'A.JPG',
    'a-b.jpeg',
    'a.jpg',
    'a/x.png',
    'a/y/z.webp',
    'b.gif',
    'c.tif',
    'd.tiff',
    'e.avif',
    'é.jpg',
  ];
  const others = [
    '.hidden.jpg',
    '.hidden/x.jpg',
    'a/.git/x.jpg',
    'notes.md',
    'jpg',
    'x.jpg.txt',
    'dir.jpg/readme',
  ];
  const cwd = folderWith(...images, ...others);
  assert.deepEqual(await idsOf(cwd, '.'), images);
  assert.deepEqual(
    await idsOf(dirname(cwd), cwd),
    images.map((image) => join(cwd, image)),
  );
});

test('an id is the path as given joined with the path below it', async () => {
  const cwd = folderWith('pictures/owl.jpg', 'elsewhere/x');
  for (const given of ['pictures', 'pictures/', './pictures', 'elsewhere/../pictures', 'pictures/owl.jpg']) {
    assert.deepEqual(await list(cwd, given), [
      { id: 'pictures/owl.jpg', uri: `file://${cwd}/pictures/owl.jpg` },
    ]);
  }
  assert.deepEqual(await idsOf(join(cwd, 'elsewhere'), '../pictures'), ['../pictures/owl.jpg']);
});

test('a file given by name is taken whatever its ending, also a hidden one', async () => {
  const cwd = folderWith('notes.md', '.hidden.jpg');
  assert.deepEqual(await idsOf(cwd, 'notes.md', '.hidden.jpg'), ['notes.md', '.hidden.jpg']);
});

test('links are followed, loops end, and a link that leads nowhere gets its row', async () => {
  const cwd = folderWith('pictures/a/owl.jpg', 'other/fox.jpg');
  symlinkSync('..', join(cwd, 'pictures/a/loop'));
  symlinkSync('.', join(cwd, 'pictures/self'));
  symlinkSync('../other', join(cwd, 'pictures/other'));
  symlinkSync('../pictures', join(cwd, 'other/back'));
  symlinkSync('nowhere', join(cwd, 'pictures/broken.jpg'));
  execFileSync('mkfifo', [join(cwd, 'pictures/pipe.jpg')]);
  assert.deepEqual(await idsOf(cwd, 'pictures'), [
    'pictures/a/owl.jpg',
    'pictures/broken.jpg',
    'pictures/other/fox.jpg',
  ]);
});

test('a glob is what a shell would make of it, unless a file has that very name', async () => {
  const cwd = folderWith(
    'p/b.jpg',
    'p/a.jpg',
    'p/notes.md',
    'p/sub/c.jpg',
    'p/sub/notes.md',
    'p/.d.jpg',
    'q/[1].jpg',
    'q/1.jpg',
  );
  assert.deepEqual(await idsOf(cwd, 'p/*.jpg'), ['p/a.jpg', 'p/b.jpg']);
  assert.deepEqual(await idsOf(cwd, './p/**/*.jpg'), ['p/a.jpg', 'p/b.jpg', 'p/sub/c.jpg']);
  assert.deepEqual(await idsOf(cwd, 'p/*'), ['p/a.jpg', 'p/b.jpg', 'p/notes.md', 'p/sub/c.jpg']);
  assert.deepEqual(await idsOf(cwd, `${cwd}/p/{a,b}.jpg`), [`${cwd}/p/a.jpg`, `${cwd}/p/b.jpg`]);
  assert.deepEqual(await idsOf(cwd, 'q/[1].jpg'), ['q/[1].jpg']);
  assert.deepEqual(await idsOf(cwd, 'q/[1-9].jpg'), ['q/1.jpg']);
});

test('a file reached twice is given once, and none is lost to it', async () => {
  const cwd = folderWith('p/a.jpg', 'p/b.jpg', 'p/sub/c.jpg', 'p/.h/d.jpg', 'p/notes.md', 'e.jpg');
  const once = ['p/a.jpg', 'p/b.jpg', 'p/sub/c.jpg'];
  assert.deepEqual(await idsOf(cwd, 'p', 'p/b.jpg', 'p/', 'p/sub', 'p/*.jpg'), once);
  assert.deepEqual(await idsOf(cwd, 'p/b.jpg', 'p/sub', 'p', './p/b.jpg'), [
    'p/b.jpg',
    'p/sub/c.jpg',
    'p/a.jpg',
  ]);
  assert.deepEqual(await idsOf(cwd, 'p', 'p/.h/d.jpg', 'p/.h', 'p/notes.md'), [
    ...once,
    'p/.h/d.jpg',
    'p/notes.md',
  ]);
  // "." holds neither what is beside it nor, by name, what is given with its whole path.
  assert.deepEqual(await idsOf(join(cwd, 'p/sub'), '.', '../a.jpg', `${cwd}/e.jpg`, './c.jpg'), [
    'c.jpg',
    '../a.jpg',
    `${cwd}/e.jpg`,
  ]);
});

test('URLs are their own ids, data: URLs a digest, and what is too long for an id is told apart', async () => {
  const long = `https://example.com/x.jpg?signature=${'s'.repeat(2000)}`;
  const inputs = ['https://example.com/a.jpg?x=1', 'HTTP://example.com/b', 'data:,x', `${long}1`, `${long}2`];
  const refs = await list(folderWith(), ...inputs, inputs[0]!);
  assert.deepEqual(
    refs.map(({ uri }) => uri),
    inputs,
  );
  assert.deepEqual(
    refs.slice(0, 2).map(({ id }) => id),
    inputs.slice(0, 2),
  );
  // printf 'data:,x' | sha256sum
  assert.equal(refs[2]!.id, 'data:707ce201c2f97b77');
  assert.notEqual(refs[3]!.id, refs[4]!.id);
  assert.equal(refs[3]!.id.length, 1024);
});

test('everything that is missing is reported together, before the first image', async () => {
  const cwd = folderWith('a.jpg', 'outside/b.jpg', 'root/c.jpg');
  const roots = new Map([['data', join(cwd, 'root')]]);
  const refs = openSource(['root/c.jpg', 'no.jpg', 'a.jpg/x', 'no*.jpg', 'http://[', '', 'outside'], {
    cwd,
    address: rootAddress(roots, cwd),
  });
  await assert.rejects(refs.next(), (error: Error & { code: string }) => {
    assert.equal(error.code, 'USAGE');
    const starts = error.message.split('\n').map((line) => line.split(': ')[0]);
    assert.deepEqual(starts, ['no.jpg', 'a.jpg/x', 'no*.jpg', 'http://[', '""', 'outside']);
    return true;
  });
});

test('no image at all says what was looked for', async () => {
  const cwd = folderWith('empty/notes.md');
  await assert.rejects(list(cwd, 'empty'), { code: 'NO_IMAGES', message: /in 'empty'\..*jpg, jpeg, png/ });
  await assert.rejects(list(cwd), { code: 'NO_IMAGES' });
});

test('a folder is read as it is needed, one directory at a time', async () => {
  const cwd = folderWith('p/a/1.jpg', 'p/b/2.jpg');
  const refs = openSource(['p'], { cwd, address: trustedAddress });
  assert.equal((await refs.next()).value?.id, 'p/a/1.jpg');
  writeFileSync(join(cwd, 'p/b/3.jpg'), '');
  assert.equal((await refs.next()).value?.id, 'p/b/2.jpg');
  assert.equal((await refs.next()).value?.id, 'p/b/3.jpg');
  assert.equal((await refs.next()).done, true);
});

test('a folder that cannot be read is an error, not a gap', async (t) => {
  const cwd = folderWith('p/locked/1.jpg');
  chmodSync(join(cwd, 'p/locked'), 0);
  // Root reads everything, so it steps down for this test.
  if (process.geteuid?.() === 0) {
    chmodSync(cwd, 0o755);
    t.after(() => process.seteuid?.(0));
    process.seteuid?.(65_534);
  }
  await assert.rejects(list(cwd, 'p'), { code: 'USAGE', message: /locked: .*EACCES/ });
});

test('any name comes through the uri back to the bytes', async () => {
  const names = [
    'a b',
    'a#b',
    'a%20b',
    'a%',
    'a?b',
    'a\\b',
    'a\'"&b',
    '猫🦊',
    '\u00e9',
    'e\u0301',
    'data:a',
    'http:a',
    'a\nb',
    '*',
    '[a]',
  ];
  const files = names.map((name) => `${name}/${name}.jpg`);
  const cwd = folderWith(...files);
  const addresses = {
    plain: rootAddress(new Map([['.', cwd]]), cwd),
    root: rootAddress(new Map([['data', cwd]]), cwd),
    file: trustedAddress,
  };
  for (const [kind, address] of Object.entries(addresses)) {
    const options = {
      roots: new Map([[kind === 'root' ? 'data' : '.', cwd]]),
      trustPaths: kind === 'file',
      bytesMax: 1000,
      timeoutMs: 10_000,
      redirectsMax: 0,
      allowPrivateAddresses: false,
      userAgent: 'clipfleet-test',
    };
    const seen: string[] = [];
    for await (const ref of openSource(['.'], { cwd, address })) {
      assert.equal((await readImage(ref.uri, options)).toString(), ref.id, `${kind}: ${ref.uri}`);
      seen.push(ref.id);
    }
    assert.deepEqual(seen, [...files].sort(), kind);
  }
});
