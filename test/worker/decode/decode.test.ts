import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp, { type Create } from 'sharp';
import { ClipfleetError } from '../../../src/shared/errors.ts';
import { cmykToRgb } from '../../../src/worker/decode/convertRgb.ts';
import { type DecodeOptions, decodeImage } from '../../../src/worker/decode/decode.ts';
import { movable } from '../../../src/worker/onnx/movable.ts';
import { parsePreprocessing } from '../../../src/worker/resize/preprocessing.ts';

const limits: DecodeOptions = { pixelsMax: 1e6, timeoutMs: 10_000 };

/** Exact size without a crop: what comes out of one flat colour is that colour. */
const exactly = (width: number, height: number, resample = 3) =>
  parsePreprocessing({ image_processor_type: 'SiglipImageProcessor', size: { width, height }, resample });
const cropped = (edge: number) =>
  parsePreprocessing({ image_processor_type: 'CLIPImageProcessor', size: edge, crop_size: edge });

const flat = (background: Create['background'], width = 40, height = 30, channels: 3 | 4 = 3) =>
  sharp({ create: { width, height, channels, background } });

const raw = (data: number[], width: number, height: number, channels: 1 | 2 | 3 | 4) =>
  sharp(Uint8Array.from(data), { raw: { width, height, channels } });

/** The colours of single pixels, at x, y. */
async function colours(bytes: Uint8Array, size: number, at: [number, number][], options = limits) {
  const pixels = await decodeImage(bytes, exactly(size, size), options);
  return at.map(([x, y]) => [...pixels.data.subarray((y * size + x) * 3, (y * size + x) * 3 + 3)]);
}

const codeOf = async (bytes: Uint8Array, options = limits) =>
  decodeImage(bytes, cropped(8), options).then(
    () => 'decoded',
    (error) => (error instanceof ClipfleetError ? error.code : error),
  );

for (const format of ['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const) {
  test(`${format} comes out as RGB of the model's size in a buffer of its own`, async () => {
    const bytes = await flat({ r: 200, g: 100, b: 50 }).toFormat(format, { quality: 95 }).toBuffer();
    const pixels = await decodeImage(bytes, cropped(16), limits);
    assert.deepEqual([pixels.width, pixels.height, pixels.data.length], [16, 16, 768]);
    assert.equal(pixels.data.buffer.byteLength, 768);
    for (const [channel, level] of [200, 100, 50].entries()) {
      assert.ok(Math.abs(pixels.data[channel]! - level) <= 3, `${format} channel ${channel}`);
    }
    const copy = structuredClone(pixels, { transfer: movable([pixels.data.buffer as ArrayBuffer]) });
    assert.equal(copy.data.length, 768, 'it goes to a thread as it is, moved or copied');
  });
}

test('alpha is dropped, not composited and not premultiplied, when shrinking and when enlarging', async () => {
  const bytes = await flat({ r: 255, g: 10, b: 90, alpha: 0.1 }, 32, 32, 4).png().toBuffer();
  assert.deepEqual(await colours(bytes, 8, [[3, 3]]), [[255, 10, 90]]);
  assert.deepEqual(await colours(bytes, 64, [[3, 3]]), [[255, 10, 90]]);
});

test('one transparent colour is white, as it is after transformers, wherever it stands', async () => {
  // Palette entry 0 is fully transparent, entry 1 is opaque: the left half is the key.
  const half = Array.from({ length: 16 }, (_, i) => (i % 4 < 2 ? [10, 20, 30, 0] : [90, 80, 70, 255])).flat();
  const bytes = await raw(half, 4, 4, 4).png({ palette: true, colours: 2, dither: 0 }).toBuffer();
  assert.deepEqual((await colours(bytes, 4, [[0, 0]]))[0], [255, 255, 255]);
  const gif = await raw(half, 4, 4, 4).gif({ dither: 0 }).toBuffer();
  assert.deepEqual((await colours(gif, 4, [[0, 0]]))[0], [255, 255, 255]);
});

test('grey, and grey with alpha, become RGB', async () => {
  const grey = await raw(Array(16).fill(77), 4, 4, 1).toColourspace('b-w').png().toBuffer();
  const greyAlpha = await raw(Array(16).fill([77, 3]).flat(), 4, 4, 2)
    .toColourspace('b-w')
    .png()
    .toBuffer();
  for (const bytes of [grey, greyAlpha]) assert.deepEqual(await colours(bytes, 2, [[1, 1]]), [[77, 77, 77]]);
});

test('CMYK is converted as Pillow does, without a profile', async () => {
  const options = { quality: 100, chromaSubsampling: '4:4:4' } as const;
  const bytes = await flat('#80c020').toColourspace('cmyk').jpeg(options).toBuffer();
  const inks = sharp(bytes, { ignoreIcc: true }).pipelineColourspace('cmyk').toColourspace('cmyk');
  const stored = await inks.raw().toBuffer({ resolveWithObject: true });
  assert.equal(stored.info.channels, 4);
  assert.deepEqual(await colours(bytes, 4, [[1, 1]]), [[...cmykToRgb(stored.data.subarray(0, 4))]]);
});

test('16 bits of grey are cut off at 255 as Pillow does, of RGB halved in width', async () => {
  const grey = await sharp(Uint16Array.from([10, 300, 10, 300]), {
    raw: { width: 2, height: 2, channels: 1 },
  })
    .toColourspace('grey16')
    .png()
    .toBuffer();
  assert.equal((await sharp(grey).metadata()).depth, 'ushort');
  assert.deepEqual(
    await colours(grey, 2, [
      [0, 0],
      [1, 0],
    ]),
    [
      [10, 10, 10],
      [255, 255, 255],
    ],
  );

  const samples = Array(4).fill([0x1280, 0x34ff, 0xff00]).flat();
  const rgb = await sharp(Uint16Array.from(samples), { raw: { width: 2, height: 2, channels: 3 } })
    .toColourspace('rgb16')
    .png()
    .toBuffer();
  assert.deepEqual(await colours(rgb, 2, [[0, 0]]), [[0x12, 0x34, 0xff]]);
});

test('EXIF orientation is applied unless it is to be ignored', async () => {
  // Left half black, right half white; orientation 6 turns it so that black is on top.
  const data = Array.from({ length: 32 * 32 }, (_, i) => (i % 32 < 16 ? [0, 0, 0] : [255, 255, 255])).flat();
  const bytes = await raw(data, 32, 32, 3).withMetadata({ orientation: 6 }).jpeg({ quality: 100 }).toBuffer();
  const corners: [number, number][] = [
    [7, 0],
    [0, 7],
  ];
  assert.deepEqual(await colours(bytes, 8, corners), [
    [0, 0, 0],
    [255, 255, 255],
  ]);
  const ignoring = await colours(bytes, 8, corners, { ...limits, exif: 'ignore' });
  assert.deepEqual(ignoring, [
    [255, 255, 255],
    [0, 0, 0],
  ]);
});

test('of an animation the first frame is taken', async () => {
  const frames = [flat('#ff0000', 8, 8), flat('#0000ff', 8, 8)].map((frame) => frame.png().toBuffer());
  const bytes = await sharp(await Promise.all(frames), { join: { animated: true } })
    .webp({ lossless: true })
    .toBuffer();
  assert.equal((await sharp(bytes).metadata()).pages, 2);
  assert.deepEqual(await colours(bytes, 4, [[1, 1]]), [[255, 0, 0]]);
});

test('an ICC profile changes nothing', async () => {
  const plain = await flat({ r: 200, g: 30, b: 60 }).png().toBuffer();
  const tagged = await sharp(plain).withIccProfile('p3', { attach: true }).png().toBuffer();
  assert.ok((await sharp(tagged).metadata()).hasProfile);
  const stored = await sharp(tagged, { ignoreIcc: true }).raw().toBuffer();
  assert.notDeepEqual([...stored.subarray(0, 3)], [200, 30, 60]);
  assert.deepEqual(await colours(tagged, 4, [[0, 0]]), [[...stored.subarray(0, 3)]]);
});

test('an image a thousand times longer than wide costs no more than its crop', async () => {
  const long = await flat({ r: 1, g: 2, b: 3 }, 1, 30_000).png().toBuffer();
  const pixels = await decodeImage(long, cropped(224), limits);
  assert.deepEqual([...pixels.data.subarray(-3)], [1, 2, 3]);
  const wide = await flat({ r: 1, g: 2, b: 3 }, 30_000, 30).png().toBuffer();
  assert.deepEqual(await colours(wide, 64, [[63, 63]]), [[1, 2, 3]]);
});

test('enlarging by every filter keeps a flat colour and the size', async () => {
  const bytes = await flat({ r: 250, g: 128, b: 3 }, 5, 3).png().toBuffer();
  for (const resample of [0, 1, 2, 3, 4, 5]) {
    const pixels = await decodeImage(bytes, exactly(16, 12, resample), limits);
    assert.equal(pixels.data.length, 16 * 12 * 3);
    assert.deepEqual([...pixels.data.subarray(300, 303)], [250, 128, 3], `filter ${resample}`);
  }
});

test('each fault has its code', async () => {
  const jpeg = await flat('#123456', 64, 64).jpeg().toBuffer();
  const svg = Buffer.from(
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>',
  );
  assert.equal(await codeOf(new Uint8Array(0)), 'IMAGE_EMPTY');
  assert.equal(await codeOf(Buffer.from('<html>not found</html>')), 'IMAGE_UNSUPPORTED');
  assert.equal(await codeOf(svg), 'IMAGE_UNSUPPORTED');
  assert.equal(await codeOf(jpeg, { ...limits, pixelsMax: 64 * 64 - 1 }), 'IMAGE_TOO_MANY_PIXELS');
  assert.equal(await codeOf(jpeg, { ...limits, pixelsMax: 64 * 64 }), 'decoded');
});

test('a JPEG that breaks off is corrupt, unless truncated images are accepted', async () => {
  const noise = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) % 251);
  const whole = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
    .jpeg()
    .toBuffer();
  const cut = whole.subarray(0, whole.length / 2);
  assert.equal(await codeOf(cut), 'IMAGE_CORRUPT');
  assert.equal(await codeOf(cut, { ...limits, truncated: 'accept' }), 'decoded');
});

test('images decoded at once do not disturb each other', async () => {
  const files = await Promise.all(
    Array.from({ length: 24 }, (_, i) =>
      flat({ r: i * 10, g: 0, b: 255 - i * 10 })
        .png()
        .toBuffer(),
    ),
  );
  const all = await Promise.all(files.map((bytes) => decodeImage(bytes, exactly(8, 8), limits)));
  const seen = all.map((pixels) => [...pixels.data.subarray(0, 3)]);
  assert.deepEqual(
    seen,
    files.map((_, i) => [i * 10, 0, 255 - i * 10]),
  );
});
