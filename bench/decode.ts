// Decoding of JPEG files to pixels of 224 × 224, one image at a time:
//   node dist/bench/decode.js
// Beside decodeImage stand two ways of sharp that let the decoder shrink the image first: "halved" is what sharp does
// with `fastShrinkOnLoad: false` alone, "shrunk on load" its default. All three take turns in each round.
import sharp from 'sharp';
import { decodeImage } from '../src/worker/decode.ts';
import { parsePreprocessing } from '../src/worker/preprocessing.ts';
import { planResize } from '../src/worker/resizeGeometry.ts';
import { describeMachine } from './machine.ts';
import { format, spreadOf } from './spread.ts';

const ROUNDS = 9;
const ROUND_MS = 700;
const sizes = [
  { width: 500, height: 375 },
  { width: 1600, height: 1067 },
  { width: 3000, height: 2000 },
];
const preprocessing = parsePreprocessing({
  image_processor_type: 'CLIPImageProcessor',
  size: { shortest_edge: 224 },
  crop_size: { height: 224, width: 224 },
});

console.log(
  '| JPEG | decodeImage, images/s | halved | halved ÷ decodeImage | shrunk on load | ÷ decodeImage |',
);
console.log('|---|---|---|---|---|---|');
for (const { width, height } of sizes) {
  const jpeg = await makeJpeg(width, height);
  const rates: [number, number, number][] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const ours = await rateOf(() => decodeImage(jpeg, preprocessing, { pixelsMax: 10e6, timeoutMs: 20_000 }));
    const halved = await rateOf(() => decodeBySharp(jpeg, false));
    const shrunk = await rateOf(() => decodeBySharp(jpeg, true));
    if (round > 0) rates.push([ours, halved, shrunk]);
  }
  const cells = [
    format(spreadOf(rates.map(([ours]) => ours))),
    format(spreadOf(rates.map(([, halved]) => halved))),
    format(spreadOf(rates.map(([ours, halved]) => halved / ours)), 2),
    format(spreadOf(rates.map(([, , shrunk]) => shrunk))),
    format(spreadOf(rates.map(([ours, , shrunk]) => shrunk / ours)), 2),
  ];
  console.log(`| ${width} × ${height}, ${Math.round(jpeg.length / 1000)} kB | ${cells.join(' | ')} |`);
}
console.log(`\nMedian of ${ROUNDS} rounds (smallest to largest). ${describeMachine(['sharp'])}.`);

async function rateOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  let count = 0;
  while (performance.now() - start < ROUND_MS) {
    await work();
    count++;
  }
  return (count * 1000) / (performance.now() - start);
}

/** What decodeImage does with a plain JPEG, header included, but without taking the whole image as a region. */
async function decodeBySharp(jpeg: Buffer, fastShrinkOnLoad: boolean): Promise<Uint8Array> {
  const image = sharp(jpeg, { sequentialRead: true, ignoreIcc: true, autoOrient: true });
  const { autoOrient } = await image.metadata();
  const { size, window } = planResize(autoOrient, preprocessing, 'floor');
  const resized = image.resize(size.width, size.height, { fit: 'fill', kernel: 'cubic', fastShrinkOnLoad });
  return new Uint8Array(
    await resized.extract(window).toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer(),
  );
}

/** Smooth areas and some grain, so that the file is about as long as a photograph's. */
async function makeJpeg(width: number, height: number): Promise<Buffer> {
  const pixels = Buffer.alloc(width * height * 3);
  let state = 1;
  for (let i = 0; i < pixels.length; i++) {
    state = (state * 48_271) % 2_147_483_647;
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    pixels[i] = 110 + 70 * Math.sin(x / 40) * Math.cos(y / 50) + (state % 40);
  }
  const raw = { width, height, channels: 3 } as const;
  return await sharp(pixels, { raw }).jpeg({ quality: 88 }).toBuffer();
}
