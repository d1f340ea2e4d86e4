import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { ClipfleetError, errorTable } from '../../../src/shared/errors.ts';
import { decodeImage } from '../../../src/worker/decode/decode.ts';
import { parsePreprocessing } from '../../../src/worker/resize/preprocessing.ts';
import { repository } from '../../support/fleet.ts';

const folder = join(repository, '../shared/reference/hostile');
const skip = existsSync(folder) ? false : `${folder} is not on this machine`;

const preprocessing = parsePreprocessing({ image_processor_type: 'CLIPImageProcessor' });

test('every hostile file gives pixels of the right size or one error of one image', { skip }, async () => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  assert.ok(files.length > 100, 'the folder holds files');
  let decoded = 0;
  for (const { parentPath, name } of files) {
    const bytes = await readFile(join(parentPath, name));
    try {
      const pixels = await decodeImage(bytes, preprocessing, { pixelsMax: 50e6, timeoutMs: 10_000 });
      assert.equal(pixels.data.length, 224 * 224 * 3, name);
      decoded += 1;
    } catch (error) {
      assert.ok(error instanceof ClipfleetError, `${name}: ${error}`);
      assert.equal(errorTable[error.code].scope, 'image', name);
      assert.ok(error.message.length < 400, `${name}: ${error.message.length} characters`);
    }
  }
  assert.ok(decoded > 50, `${decoded} decoded: Pillow reads 77 of them`);
});

/** A TIFF of black and white, `side` pixels square, whose strips are all the same few bytes of the file. */
function bomb(side: number): Uint8Array {
  const rows = 100;
  const strips = side / rows;
  const strip = deflateSync(Buffer.alloc((side / 8) * rows));
  const entries = 9;
  const listsAt = 8 + 2 + entries * 12 + 4;
  const stripAt = listsAt + strips * 8;
  const short = 3;
  const long = 4;
  const tags = [
    [256, long, 1, side],
    [257, long, 1, side],
    [258, short, 1, 1],
    [259, short, 1, 8],
    [262, short, 1, 1],
    [273, long, strips, listsAt],
    [277, short, 1, 1],
    [278, long, 1, rows],
    [279, long, strips, listsAt + strips * 4],
  ] as const;
  const file = Buffer.alloc(stripAt + strip.length);
  file.write('II*\0\x08\0\0\0', 'latin1');
  file.writeUInt16LE(entries, 8);
  tags.forEach(([tag, type, count, value], i) => {
    file.writeUInt16LE(tag, 10 + i * 12);
    file.writeUInt16LE(type, 12 + i * 12);
    file.writeUInt32LE(count, 14 + i * 12);
    file.writeUInt32LE(value, 18 + i * 12);
  });
  for (let i = 0; i < strips; i++) {
    file.writeUInt32LE(stripAt, listsAt + i * 4);
    file.writeUInt32LE(strip.length, listsAt + (strips + i) * 4);
  }
  strip.copy(file, stripAt);
  return file;
}

const codeOf = (bytes: Uint8Array, pixelsMax: number) =>
  decodeImage(bytes, preprocessing, { pixelsMax, timeoutMs: 1 }).then(
    () => 'decoded',
    (error) => (error instanceof ClipfleetError ? error.code : error),
  );

test('a few kilobytes that unfold to billions of pixels are refused, or given up in time', async () => {
  const bytes = bomb(60_000);
  assert.ok(bytes.length < 20_000);
  assert.equal(await codeOf(bytes, 100e6), 'IMAGE_TOO_MANY_PIXELS');
  assert.equal(await codeOf(bytes, 10e9), 'DECODE_TIMEOUT');
  assert.equal(await codeOf(bomb(800), 100e6), 'decoded');
});
