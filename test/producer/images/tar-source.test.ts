import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openSource } from '../../../src/openSource.ts';
import { trustedAddress } from '../../../src/producer/sources/address.ts';
import type { ImageRef } from '../../../src/shared/refs/imageRef.ts';
import { readImage } from '../../support/readImage.ts';
import { temporaryFolder } from '../../support/support.ts';

const long = `${'a-long-folder-name/'.repeat(12)}${'x'.repeat(90)}.png`;

/** Members as a shard has them, each of which holds its own name; those that are images, in the order of the archive. */
const members = ['000.jpg', '000.txt', '000.json', 'sub/001.PNG', '._000.jpg', 'é猫.webp', long];
const images = ['000.jpg', 'sub/001.PNG', 'é猫.webp', long];

async function folderOfMembers(t: TestContext, names: string[]): Promise<string> {
  const folder = await temporaryFolder(t);
  for (const name of names) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), name);
  }
  return folder;
}

const tar = (folder: string, archive: string, names: string[], ...flags: string[]) =>
  execFileSync('tar', ['-C', folder, ...flags, '-cf', join(folder, archive), ...names]);

async function list(cwd: string, ...names: string[]): Promise<ImageRef[]> {
  const refs: ImageRef[] = [];
  for await (const ref of openSource(names, { cwd, address: trustedAddress })) refs.push(ref);
  return refs;
}

test('each format that tar writes is read: names whole, and the uri leads to the member’s bytes', async (t) => {
  const folder = await folderOfMembers(t, members);
  const options = {
    roots: new Map(),
    trustPaths: true,
    bytesMax: 1000,
    timeoutMs: 10_000,
    redirectsMax: 0,
    allowPrivateAddresses: false,
    userAgent: 'clipfleet-test',
  };
  for (const format of ['gnu', 'oldgnu', 'pax', 'ustar', 'v7']) {
    // The oldest formats have no room for the long name.
    const names = ['ustar', 'v7'].includes(format) ? members.slice(0, -1) : members;
    tar(folder, `${format}.tar`, names, `--format=${format}`);
    const refs = await list(folder, `${format}.tar`);
    const expected = images.filter((name) => names.includes(name));
    assert.deepEqual(
      refs.map(({ id }) => id),
      expected.map((name) => `${format}/${name}`),
    );
    for (const [i, ref] of refs.entries()) {
      assert.match(ref.uri, new RegExp(`^tar:\\d+\\+\\d+:file://.*/${format}\\.tar$`));
      assert.equal((await readImage(ref.uri, options)).toString(), expected[i], ref.uri);
    }
  }
});

test('a long name in ustar’s two parts is put together', async (t) => {
  const name = `${'folder/'.repeat(15)}image.jpg`;
  const folder = await folderOfMembers(t, [name]);
  tar(folder, 'a.tar', [name], '--format=ustar');
  assert.deepEqual(
    (await list(folder, 'a.tar')).map(({ id }) => id),
    [`a/${name}`],
  );
});

test('folders, links and files with holes are passed over', async (t) => {
  const folder = await folderOfMembers(t, ['a.jpg', 'folder.jpg/b.jpg']);
  execFileSync(
    'sh',
    ['-c', 'ln -s a.jpg link.jpg; ln a.jpg hard.jpg; truncate -s 1M hole.jpg; echo x >> hole.jpg'],
    {
      cwd: folder,
    },
  );
  for (const flags of [
    ['--format=pax', '--sparse'],
    ['--format=gnu', '--sparse'],
  ]) {
    tar(folder, 'a.tar', ['a.jpg', 'link.jpg', 'hard.jpg', 'hole.jpg', 'folder.jpg'], ...flags);
    assert.deepEqual(
      (await list(folder, 'a.tar')).map(({ id }) => id),
      ['a/a.jpg', 'a/folder.jpg/b.jpg'],
    );
  }
});

test('braces make names before files are looked for, so that a shard that is not there is missed', async (t) => {
  const folder = await folderOfMembers(t, ['x.jpg']);
  for (const number of ['008', '009', '010']) tar(folder, `data-${number}.tar`, ['x.jpg']);
  assert.deepEqual(
    (await list(folder, 'data-{008..010}.tar')).map(({ id }) => id),
    ['data-008/x.jpg', 'data-009/x.jpg', 'data-010/x.jpg'],
  );
  assert.equal((await list(folder, 'data-{008,010}.tar')).length, 2);
  assert.equal((await list(folder, 'data-*.tar')).length, 3);
  await assert.rejects(list(folder, 'data-{008..012}.tar'), {
    code: 'USAGE',
    message: /^data-011\.tar: .* no such file\.\ndata-012\.tar: /,
  });
  await assert.rejects(list(folder, 'data-{0..9999}{0..9999}.tar'), { message: /100000000 names/ });
  await assert.rejects(list(folder, 'gone-{1..100}.tar'), { message: /and 80 more\.$/ });
});

test('an archive that breaks off gives its images, then says where', async (t) => {
  const folder = await folderOfMembers(t, ['a.jpg', 'b.jpg']);
  await writeFile(join(folder, 'b.jpg'), 'b'.repeat(5000));
  tar(folder, 'whole.tar', ['a.jpg', 'b.jpg']);
  const whole = await readFile(join(folder, 'whole.tar'));
  const cases: [string, number, RegExp][] = [
    ['content.tar', 3000, /^content\.tar: .*b\.jpg of 5000 bytes, of which 1464 are there at byte 1024/],
    ['header.tar', 1100, /^header\.tar: .*only 76 bytes more at byte 1024/],
  ];
  for (const [name, length, message] of cases) {
    await writeFile(join(folder, name), whole.subarray(0, length));
    const ids: string[] = [];
    const read = async () => {
      for await (const { id } of openSource([name], { cwd: folder, address: trustedAddress })) ids.push(id);
    };
    await assert.rejects(read(), { code: 'SOURCE_INVALID', message });
    assert.equal(ids.length, 1);
  }
  await writeFile(join(folder, 'text.tar'), 'x'.repeat(2000));
  await assert.rejects(list(folder, 'text.tar'), { code: 'USAGE', message: /^text\.tar: .* at byte 0/ });
});

test('what has no places to point at is refused, and so are two archives of one name', async (t) => {
  const folder = await folderOfMembers(t, ['x.jpg', 'one/keep', 'two/keep']);
  for (const name of ['one/a.tar', 'two/a.tar']) tar(folder, name, ['x.jpg']);
  for (const name of ['x.tar.gz', 'x.tgz']) {
    await writeFile(join(folder, name), '');
    await assert.rejects(list(folder, name), { code: 'USAGE', message: /a plain \.tar; .*gunzip/ });
  }
  await assert.rejects(list(folder, 'one/a.tar', 'two/a.tar'), { message: /archives of different names/ });
  assert.equal((await list(folder, 'one/a.tar', 'one/a.tar')).length, 1, 'given twice is given once');
});
