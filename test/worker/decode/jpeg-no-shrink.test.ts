import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { decodeImage } from '../../../src/worker/decode/decode.ts';
import { parsePreprocessing } from '../../../src/worker/resize/preprocessing.ts';

const options = { pixelsMax: 10e6, timeoutMs: 20_000 };
const toClip = parsePreprocessing({
  image_processor_type: 'CLIPImageProcessor',
  size: { shortest_edge: 224 },
  crop_size: { height: 224, width: 224 },
});

/** Rings that grow finer outwards, and grain: shrinking while decoding must show in what it makes of them. */
function drawTexture(width: number, height: number): Buffer {
  const pixels = Buffer.alloc(width * height * 3);
  let state = 1;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const ring = Math.sin((x * x + y * y) / 4000);
      for (let channel = 0; channel < 3; channel++, i++) {
        state = (state * 48_271) % 2_147_483_647;
        pixels[i] = 100 + 80 * ring + 20 * channel + (state % 30);
      }
    }
  }
  return pixels;
}

test('a large JPEG is decoded whole: its pixels are those of the same picture as PNG', async () => {
  const [width, height] = [2000, 1500];
  const drawn = sharp(drawTexture(width, height), { raw: { width, height, channels: 3 } });
  const jpeg = await drawn.jpeg({ quality: 95 }).toBuffer();
  const png = await sharp(jpeg).png({ compressionLevel: 1 }).toBuffer();

  const [fromJpeg, fromPng] = await Promise.all(
    [jpeg, png].map((file) => decodeImage(file, toClip, options)),
  );
  assert.ok(Buffer.from(fromJpeg!.data).equals(fromPng!.data));
});
