import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cmykToRgb, deepToRgb, grey16ToRgb, paintKeyWhite } from '../../../src/worker/decode/convertRgb.ts';
import { colourKey } from '../../../src/worker/formats/colourKey.ts';

/** The chunks of a PNG up to its pixels; check sums are left empty, nobody looks at them here. */
function png(depth: number, colourType: number, chunks: Record<string, number[]>): Uint8Array {
  const header = [0, 0, 0, 1, 0, 0, 0, 1, depth, colourType, 0, 0, 0];
  const parts = Object.entries({ IHDR: header, ...chunks, IDAT: [] }).map(([name, body]) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length);
    return Buffer.concat([length, Buffer.from(name), Buffer.from(body), Buffer.alloc(4)]);
  });
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...parts]);
}

const PLTE = [1, 2, 3, 4, 5, 6, 7, 8, 9];

test('CMYK: what the inks leave of white, rounded as Pillow rounds', () => {
  const inks = Uint8Array.of(200, 0, 0, 51, 0, 0, 0, 255, 255, 128, 1, 0);
  assert.deepEqual([...cmykToRgb(inks)], [44, 204, 204, 0, 0, 0, 0, 127, 254]);
});

test('16-bit grey is cut off at 255, not scaled', () => {
  assert.deepEqual([...grey16ToRgb(Uint16Array.of(7, 256, 65535))], [7, 7, 7, 255, 255, 255, 255, 255, 255]);
});

test('10 and 12 bits are scaled to 255 and rounded down', () => {
  const twelve = Uint16Array.of(4095 << 4, 2047 << 4, 16 << 4);
  assert.deepEqual([...deepToRgb(twelve, 12)], [255, 127, 0]);
  assert.deepEqual([...deepToRgb(Uint16Array.of(1023 << 6, 4 << 6, 512 << 6), 10)], [255, 0, 127]);
});

test('every pixel of the key is white, and no other', () => {
  const rgb = Uint8Array.of(1, 2, 3, 1, 2, 4, 0, 0, 0, 1, 2, 3);
  paintKeyWhite(rgb, [1, 2, 3]);
  assert.deepEqual([...rgb], [255, 255, 255, 1, 2, 4, 0, 0, 0, 255, 255, 255]);
});

test('a palette has a key only if one entry is transparent and the others opaque', () => {
  assert.deepEqual(colourKey(png(8, 3, { PLTE, tRNS: [255, 0, 255] })), [4, 5, 6]);
  assert.deepEqual(colourKey(png(8, 3, { PLTE, tRNS: [255, 255, 0] })), [7, 8, 9]);
  assert.equal(colourKey(png(8, 3, { PLTE, tRNS: [0, 0] })), undefined);
  assert.equal(colourKey(png(8, 3, { PLTE, tRNS: [0, 128] })), undefined);
  assert.equal(colourKey(png(8, 3, { PLTE, tRNS: [255] })), undefined);
  assert.equal(colourKey(png(8, 3, { PLTE })), undefined);
});

test('grey and RGB have the key that they name, by its lower bytes', () => {
  assert.deepEqual(colourKey(png(8, 2, { tRNS: [0, 10, 0, 20, 0, 30] })), [10, 20, 30]);
  assert.deepEqual(colourKey(png(16, 2, { tRNS: [1, 10, 2, 20, 3, 30] })), [10, 20, 30]);
  assert.deepEqual(colourKey(png(8, 0, { tRNS: [0, 77] })), [77, 77, 77]);
  assert.equal(colourKey(png(16, 0, { tRNS: [0, 77] })), undefined);
  assert.deepEqual(colourKey(png(1, 0, { tRNS: [0, 0] })), [0, 0, 0]);
  assert.equal(colourKey(png(4, 0, { tRNS: [0, 7] })), undefined);
});

test('what breaks off has no key', () => {
  const whole = png(8, 3, { PLTE, tRNS: [0, 255] });
  for (let length = 0; length < 60; length++) colourKey(whole.subarray(0, length));
  assert.equal(colourKey(whole.subarray(0, 40)), undefined);
});
