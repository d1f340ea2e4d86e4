import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fastGlob from 'fast-glob';
import sharp, { type JpegOptions } from 'sharp';
import { readJpeg } from '../../../src/worker/formats/jpegFacts.ts';
import { repository } from '../../support/fleet.ts';
import { jpegOfScans } from './jpegOfScans.ts';

const jpeg = (orientation?: number, progressive = false) =>
  sharp({ create: { width: 30, height: 20, channels: 3, background: 'red' } })
    .withMetadata(orientation === undefined ? {} : { orientation })
    .jpeg({ progressive })
    .toBuffer();

test('size and components are those that libvips says', async () => {
  const files = await fastGlob('{examples/pictures,test/golden/images}/*.jpg', {
    cwd: repository,
    absolute: true,
  });
  assert.ok(files.length >= 10);
  for (const file of files) {
    const bytes = await readFile(file);
    const { width, height, samples, unsupported } = readJpeg(bytes);
    const header = await sharp(bytes).metadata();
    assert.deepEqual([width, height], [header.width, header.height], file);
    assert.equal(samples, header.space === 'cmyk' ? 'CMYK' : undefined, file);
    assert.equal(unsupported, undefined, file);
  }
});

test('the orientation is read whatever the byte order', async () => {
  for (const orientation of [1, 3, 6, 8]) {
    const little = await jpeg(orientation);
    assert.equal(readJpeg(little).orientation, orientation);
  }
  assert.equal(readJpeg(await jpeg()).orientation, 1);
});

test('scans are counted where there may be several', async () => {
  assert.equal(readJpeg(await jpeg()).scans, 1);
  const progressive = readJpeg(await jpeg(undefined, true)).scans!;
  assert.ok(progressive > 1 && progressive < 20, `${progressive}`);
  for (const scans of [2, 500, 501]) assert.equal(readJpeg(jpegOfScans(64, scans)).scans, scans);
});

test('the coefficients of a JPEG of several scans are counted as libjpeg holds them', async () => {
  const image = sharp({ create: { width: 64, height: 32, channels: 3, background: 'red' } });
  const bytesOf = async (options: JpegOptions) =>
    readJpeg(await image.clone().jpeg(options).toBuffer()).coefficientBytes;
  const pixels = 64 * 32;
  assert.equal(await bytesOf({}), undefined);
  assert.equal(await bytesOf({ progressive: true }), 1.5 * 2 * pixels);
  assert.equal(await bytesOf({ progressive: true, chromaSubsampling: '4:4:4' }), 3 * 2 * pixels);
  assert.equal(readJpeg(jpegOfScans(64, 3)).coefficientBytes, 2 * 64 * 64);
});

test('what stands behind the end of the image is no scan of it', async () => {
  const twice = Buffer.concat([jpegOfScans(64, 3), jpegOfScans(64, 5)]);
  assert.equal(readJpeg(twice).scans, 3);
});

test('a file cut off anywhere in its header is broken, and says so', async () => {
  const bytes = await readFile(join(repository, 'test/golden/images/orientation-6.jpg'));
  const scanAt = bytes.indexOf(Buffer.from([0xff, 0xda]));
  for (let length = 3; length < scanAt; length++) {
    assert.throws(() => readJpeg(bytes.subarray(0, length)), `${length} of ${scanAt} bytes`);
  }
});
