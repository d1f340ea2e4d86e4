import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fastGlob from 'fast-glob';
import sharp from 'sharp';
import { plainJpegSize } from '../../../src/worker/decode/jpegHeader.ts';
import { repository } from '../../support/fleet.ts';

const reference = join(repository, '../shared/reference');
const folders = ['examples/pictures', 'test/golden/images'].map((folder) => join(repository, folder));
if (existsSync(reference)) folders.push(reference);
const files = await fastGlob(
  folders.map((folder) => `${folder}/**/*.{jpg,jpeg,png,webp,avif,gif,tiff}`),
  { absolute: true },
);

test('what is taken for a plain JPEG has the size that libvips says, and needs no turning', async () => {
  let plain = 0;
  for (const file of files) {
    const bytes = await readFile(file);
    const size = plainJpegSize(bytes);
    if (!size) continue;
    plain++;
    const header = await sharp(bytes, { limitInputPixels: false }).metadata();
    const { format, depth, hasAlpha, width, height, orientation = 1 } = header;
    assert.deepEqual(
      { format, depth, hasAlpha, orientation, size: { width, height } },
      { format: 'jpeg', depth: 'uchar', hasAlpha: false, orientation: 1, size },
      file,
    );
    assert.ok(header.space === 'srgb' || header.space === 'b-w', `${file} is ${header.space}`);
  }
  assert.ok(plain >= 10, `${plain} of ${files.length}`);
});

test('turned and CMYK images, and what is no JPEG, are left to libvips', async () => {
  for (const name of ['orientation-6.jpg', 'cmyk.jpg', 'photo.png', 'photo.webp']) {
    assert.equal(
      plainJpegSize(await readFile(join(repository, 'test/golden/images', name))),
      undefined,
      name,
    );
  }
  assert.deepEqual(
    plainJpegSize(await readFile(join(repository, 'test/golden/images/grey.jpg'))) !== undefined,
    true,
  );
});

test('an Exif orientation is found whatever the byte order', async () => {
  for (const orientation of [1, 3, 6, 8]) {
    const jpeg = await sharp({ create: { width: 30, height: 20, channels: 3, background: 'red' } })
      .withMetadata({ orientation })
      .jpeg()
      .toBuffer();
    const expected = orientation === 1 ? { width: 30, height: 20 } : undefined;
    assert.deepEqual(plainJpegSize(jpeg), expected, `${orientation}`);
  }
});

test('a file cut off anywhere in its header is left to libvips', async () => {
  const bytes = await readFile(join(repository, 'test/golden/images/orientation-6.jpg'));
  for (let length = 0; length < Math.min(bytes.length, 2_000); length++) {
    assert.equal(plainJpegSize(bytes.subarray(0, length)), undefined, `${length} bytes`);
  }
});
