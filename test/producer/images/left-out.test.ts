import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSource } from '../../../src/openSource.ts';
import { beginsAsImage, isImageName } from '../../../src/producer/images/imageName.ts';
import { createLeftOut } from '../../../src/producer/images/leftOut.ts';
import { trustedAddress } from '../../../src/producer/sources/address.ts';
import { temporaryFolder } from '../../support/support.ts';

const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46]);

test('what a folder has and is not read is counted by its ending; hidden files are not', async (t) => {
  const cwd = await temporaryFolder(t);
  await mkdir(join(cwd, 'd/below'), { recursive: true });
  const files: [string, Buffer | string][] = [
    ['a.jfif', jpeg],
    ['b.JPE', jpeg],
    ['c.jif', jpeg],
    ['scan', jpeg],
    ['notes', 'BMX is a sport'],
    ['d.psd', ''],
    ['below/e.MOV', ''],
    ['below/README', 'text'],
    ['.hidden.mov', ''],
    ['.DS_Store', ''],
  ];
  for (const [name, content] of files) await writeFile(join(cwd, 'd', name), content);
  const leftOut = createLeftOut();
  const ids: string[] = [];
  const options = { cwd, address: trustedAddress, onLeftOut: leftOut.add };
  for await (const { id } of openSource(['d'], options)) ids.push(id);
  assert.deepEqual(ids, ['d/a.jfif', 'd/b.JPE', 'd/c.jif', 'd/scan']);
  assert.equal(leftOut.text(), 'left out: 4 (2 without an ending, 1 mov, 1 psd)');
});

test('nothing left out is nothing to say, and many endings are summed up', () => {
  assert.equal(createLeftOut().text(), undefined);
  const leftOut = createLeftOut();
  for (let i = 0; i < 2_000; i++) leftOut.add(`f.e${i}`);
  assert.match(leftOut.text()!, /^left out: 2000 \(1000 others, 1 e0, 1 e1, .*, 993 others\)$/);
});

test('an image is known by the end of its name, else by how it begins', () => {
  assert.deepEqual(['a.jpg', 'A.TIFF', 'a.bmp', 'a.', 'a', '.jpg', 'a.jpg.part', 'x.y/a'].map(isImageName), [
    true,
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
  assert.ok(isImageName('IMG_0001.HEIC'));
  const beginning = (text: string) => beginsAsImage(Buffer.from(text, 'latin1'));
  assert.ok(beginning('RIFF\x01\x02\x03\x04WEBPVP8 '));
  assert.ok(beginning('\0\0\0\x20ftypavif'));
  assert.ok(beginning('\0\0\0\x18ftypheic'));
  assert.ok(beginning('BM\x36\0\x0c\0\0\0\0\0\x36\0'));
  assert.ok(!beginning('RIFF\x01\x02\x03\x04WAVE'));
  assert.ok(!beginning('\xff\xd8'));
  assert.ok(!beginning('BM, a letter'));
});
