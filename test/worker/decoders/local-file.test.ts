import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type ReadOptions, readImage } from '../../support/readImage.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'clipfleet-fetch-')));
after(() => rmSync(folder, { recursive: true, force: true }));
const write = (path: string, content: string | Buffer) => {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), content);
};
write('here/owl.jpg', 'owl');
write('here/sub/a:b.jpg', 'colon');
write('here/data:x.jpg', 'data name');
write('here/100%#?.jpg', 'odd name');
write('here/empty.jpg', '');
write('here/ten.jpg', '0123456789');
write('there/fox.jpg', 'fox');
write('outside/secret.jpg', 'secret');
write('here-too/secret.jpg', 'a folder whose name begins like the root');
symlinkSync('owl.jpg', join(folder, 'here/link.jpg'));
symlinkSync('../outside/secret.jpg', join(folder, 'here/escape.jpg'));
symlinkSync('../outside', join(folder, 'here/escape'));
symlinkSync('../there/fox.jpg', join(folder, 'here/across.jpg'));
symlinkSync('loop.jpg', join(folder, 'here/loop.jpg'));
symlinkSync('here', join(folder, 'here-by-link'));

const read = async (uri: string, changes: Partial<ReadOptions> = {}) => {
  const options = {
    roots: new Map([
      ['.', join(folder, 'here')],
      ['data', join(folder, 'there')],
    ]),
    trustPaths: false,
    bytesMax: 1000,
    timeoutMs: 10_000,
    redirectsMax: 3,
    allowPrivateAddresses: false,
    userAgent: 'clipfleet-test',
    ...changes,
  };
  return (await readImage(uri, options)).toString();
};
const refuses = (uri: string, code: string, changes?: Partial<ReadOptions>) =>
  assert.rejects(read(uri, changes), { code }, uri);

test('plain paths are raw and under the default root', async () => {
  assert.equal(await read('owl.jpg'), 'owl');
  assert.equal(await read('./sub/../owl.jpg'), 'owl');
  assert.equal(await read('sub/a:b.jpg'), 'colon');
  assert.equal(await read('100%#?.jpg'), 'odd name');
  assert.equal(await read('./data:x.jpg'), 'data name');
  assert.equal(await read(join(folder, 'here/owl.jpg')), 'owl');
});

test('root: and file: URLs are percent-decoded and under the roots', async () => {
  assert.equal(await read('root://data/fox.jpg'), 'fox');
  assert.equal(await read(pathToFileURL(join(folder, 'here/100%#?.jpg')).href), 'odd name');
  assert.equal(await read(pathToFileURL(join(folder, 'there/fox.jpg')).href), 'fox');
  assert.equal(
    await read('root://data/100%25%23%3F.jpg', { roots: new Map([['data', join(folder, 'here')]]) }),
    'odd name',
  );
});

test('links are followed as long as they end under a root', async () => {
  assert.equal(await read('link.jpg'), 'owl');
  assert.equal(await read('across.jpg'), 'fox');
  await refuses('escape.jpg', 'IMAGE_OUTSIDE_ROOTS');
  await refuses('escape/secret.jpg', 'IMAGE_OUTSIDE_ROOTS');
  await refuses('across.jpg', 'IMAGE_OUTSIDE_ROOTS', { roots: new Map([['.', join(folder, 'here')]]) });
});

test('a root may itself be a link', async () => {
  const roots = new Map([['.', join(folder, 'here-by-link')]]);
  assert.equal(await read('owl.jpg', { roots }), 'owl');
  assert.equal(await read(join(folder, 'here/owl.jpg'), { roots }), 'owl');
  assert.equal(await read(join(folder, 'here-by-link/owl.jpg'), { roots }), 'owl');
});

test('no spelling leads out of the roots', async () => {
  const uris = [
    '../outside/secret.jpg',
    '../there/fox.jpg',
    'sub/../../outside/secret.jpg',
    '../here-too/secret.jpg',
    join(folder, 'outside/secret.jpg'),
    join(folder, 'here-too/secret.jpg'),
    `${join(folder, 'here')}/../outside/secret.jpg`,
    'root://data/../outside/secret.jpg',
    'root://data/%2e%2e/outside/secret.jpg',
    'root://data/..%2Foutside%2Fsecret.jpg',
    pathToFileURL(join(folder, 'outside/secret.jpg')).href,
    '/etc/passwd',
    'file:///etc/passwd',
    'file:///no/such/file',
    'root://nowhere/fox.jpg',
  ];
  for (const uri of uris) await refuses(uri, 'IMAGE_OUTSIDE_ROOTS');
  assert.equal(
    await read(`root://data/${join(folder, 'there/fox.jpg')}`).catch((error) => error.code),
    'IMAGE_NOT_FOUND',
  );
  await assert.rejects(read('/etc/passwd'), { message: /"\.", "data".*\/etc\/passwd.*--root NAME=DIR/ });
});

test('trusted paths are read wherever they lead, and root: uris stay under their root', async () => {
  const trust = { trustPaths: true, roots: new Map([['data', join(folder, 'there')]]) };
  assert.equal(await read(pathToFileURL(join(folder, 'outside/secret.jpg')).href, trust), 'secret');
  assert.equal(await read(join(folder, 'here/escape.jpg'), trust), 'secret');
  await refuses('root://data/../outside/secret.jpg', 'IMAGE_OUTSIDE_ROOTS', trust);
});

test('what cannot be parsed, or has another scheme, is refused by name', async () => {
  const uris = [
    'gs://bucket/x.jpg',
    'ftp://host/x.jpg',
    'file://host/x.jpg',
    'file:///a%2Fb',
    'root://data',
    'root:///x',
  ];
  uris.push('root://data/%', 'root://data/a%00b.jpg', 'a\0b.jpg');
  for (const uri of uris) await refuses(uri, 'IMAGE_URI_INVALID');
  await assert.rejects(read('gs://bucket/x.jpg'), {
    message: /root:, file:, http:, https:, s3:, tar: or data:.*gs:/,
  });
});

test('missing things and things that are no file', async () => {
  mkdirSync(join(folder, 'here/folder.jpg'));
  for (const uri of [
    'no.jpg',
    'owl.jpg/no.jpg',
    'loop.jpg',
    'folder.jpg',
    '.',
    'no:colon.jpg',
    `${'x'.repeat(300)}.jpg`,
  ]) {
    await refuses(uri, 'IMAGE_NOT_FOUND');
  }
  await refuses('root://gone/x.jpg', 'READ_FAILED', {
    roots: new Map([['gone', join(folder, 'not-mounted')]]),
  });
  await refuses('empty.jpg', 'IMAGE_EMPTY');
});

test('pipes, sockets and devices are refused and nothing waits for them', async () => {
  execFileSync('mkfifo', [join(folder, 'here/pipe.jpg')]);
  await refuses('pipe.jpg', 'IMAGE_NOT_FOUND');
  const server = createServer().listen(join(folder, 'here/socket.jpg'));
  await new Promise((resolve) => server.once('listening', resolve));
  await refuses('socket.jpg', 'IMAGE_NOT_FOUND');
  server.close();
  await refuses('/dev/zero', 'IMAGE_NOT_FOUND', { trustPaths: true });
});

test('a file without permission is forbidden', async (t) => {
  write('here/locked.jpg', 'locked');
  chmodSync(join(folder, 'here/locked.jpg'), 0);
  // Root reads everything, so it steps down for this test.
  if (process.geteuid?.() !== 0) return refuses('locked.jpg', 'IMAGE_FORBIDDEN');
  chmodSync(folder, 0o755);
  t.after(() => process.seteuid?.(0));
  process.seteuid?.(65_534);
  await refuses('locked.jpg', 'IMAGE_FORBIDDEN');
});

test('exactly the bytes allowed pass, and one more is too many', async () => {
  assert.equal(await read('ten.jpg', { bytesMax: 10 }), '0123456789');
  await refuses('ten.jpg', 'IMAGE_TOO_LARGE', { bytesMax: 9 });
  // More than a buffer can hold, as a sparse file: refused by its size, before memory is taken for it.
  write('here/huge.jpg', '');
  truncateSync(join(folder, 'here/huge.jpg'), 2 ** 40);
  await refuses('huge.jpg', 'IMAGE_TOO_LARGE');
});

test('a file of more bytes than its size says is read to its end, and bounded all the same', async (t) => {
  // Files of procfs have size 0, as a file has that began to grow after it was looked at.
  if (process.platform !== 'linux') return t.skip('needs /proc');
  const trust = { trustPaths: true, bytesMax: 100_000 };
  assert.match(await read('/proc/self/status', trust), /^Name:.*nonvoluntary_ctxt_switches:\s+\d+\n$/s);
  await refuses('/proc/self/status', 'IMAGE_TOO_LARGE', { ...trust, bytesMax: 100 });
});

test('a folder that becomes a link while it is read lets nothing out', async (t) => {
  if (process.platform !== 'linux') return t.skip('the gap is closed by /proc/self/fd');
  write('here/swap/secret.jpg', 'inside');
  symlinkSync('../outside', join(folder, 'here/swap-link'));
  // Reading blocks, so that somebody else must do it meanwhile.
  const swap = `
    const { renameSync } = require('node:fs');
    const { join } = require('node:path');
    const { workerData } = require('node:worker_threads');
    const move = (from, to) => renameSync(join(workerData, from), join(workerData, to));
    for (;;) {
      move('swap', 'swap-folder');
      move('swap-link', 'swap');
      move('swap', 'swap-link');
      move('swap-folder', 'swap');
    }`;
  const swapping = new Worker(swap, { eval: true, workerData: join(folder, 'here') });
  t.after(() => swapping.terminate());
  const results = new Set<string>();
  const isMoved = () => results.has('IMAGE_OUTSIDE_ROOTS') || results.has('IMAGE_NOT_FOUND');
  for (let count = 0; count < 2000 || !(isMoved() && results.has('inside')); count++) {
    results.add(await read('swap/secret.jpg').catch(({ code }) => code));
  }
  assert.ok(!results.has('secret'));
  assert.ok(isMoved() && results.has('inside'), [...results].join());
});

test('what is not there is said with the whole path and the machine it was looked for on', async () => {
  const message = new RegExp(`none\\.jpg", got ENOENT for "/.*/none\\.jpg" on ${hostname()}\\.$`);
  await assert.rejects(read('none.jpg'), { code: 'IMAGE_NOT_FOUND', message });
});
