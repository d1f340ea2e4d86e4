import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp, { type Sharp } from 'sharp';
import { decodeImage } from '../../../src/worker/decode/decode.ts';
import { parsePreprocessing } from '../../../src/worker/resize/preprocessing.ts';
import { releaseMemory } from '../../../src/worker/resize/releaseMemory.ts';

const preprocessing = parsePreprocessing({ size: 32, crop_size: 32 });
const SIDE = 1_000;
const kinds: Record<string, (image: Sharp) => Sharp> = {
  JPEG: (image) => image.jpeg(),
  'CMYK JPEG': (image) => image.toColourspace('cmyk').jpeg(),
  GIF: (image) => image.gif(),
};

for (const [kind, saved] of Object.entries(kinds)) {
  test(`all pixels of a ${kind} are given back before V8 looks for them`, async () => {
    const create = { width: SIDE, height: SIDE, channels: 3 as const, background: 'teal' };
    const bytes = await saved(sharp({ create })).toBuffer();
    const decode = () => decodeImage(bytes, preprocessing, { pixelsMax: 1e7, timeoutMs: 60_000 });
    await decode();
    const before = process.memoryUsage().external;
    for (let i = 0; i < 3; i++) await decode();
    const grown = process.memoryUsage().external - before;
    // The indices of a GIF, a byte a pixel, are left to V8.
    assert.ok(grown < 4 * SIDE * SIDE, `${grown} bytes after three images of ${3 * SIDE * SIDE}`);
  });
}

test('memory that is released cannot be read', () => {
  const bytes = Buffer.allocUnsafeSlow(1_000_000);
  releaseMemory(bytes);
  assert.equal(bytes.length, 0);
});
