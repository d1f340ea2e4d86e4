import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { decodeImage } from '../src/worker/decode/decode.ts';
import { parsePreprocessing } from '../src/worker/decode/preprocessing.ts';
import { planResize } from '../src/worker/decode/resizeGeometry.ts';
import { defineBench, table } from './bench.ts';
import { rounds } from './commonArguments.ts';
import { makeJpegs } from './jpegs.ts';
import { format, spreadOf } from './spread.ts';

/** How long each way is timed in a round. */
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

export const decode = defineBench({
  title: 'Decoding, with and without JPEG’s shrink-on-load',
  says: `JPEG files to pixels of 224 × 224, one image at a time, images/s. Beside \`decodeImage\` stand two ways of sharp that let the
decoder shrink the image first: *halved* is what sharp does with \`fastShrinkOnLoad: false\` alone, *shrunk on load* its
default. What decoding whole buys is in [parity.md](parity.md). Median of the rounds (smallest to largest).`,
  arguments: { rounds: { ...rounds, default: '9' } },
  packages: ['sharp'],
  async run({ rounds }, bed) {
    const lines: string[][] = [];
    for (const size of sizes) {
      bed.say(`${size.width} × ${size.height}`);
      const { files, name } = await makeJpegs(join(bed.folder, `${size.width}`), { count: 1, ...size });
      const rates = await measureWays(await readFile(files[0]!), rounds);
      const column = (of: (round: Rates) => number, digits = 1) => format(spreadOf(rates.map(of)), digits);
      lines.push([
        name,
        column(({ ours }) => ours),
        column(({ halved }) => halved),
        column(({ ours, halved }) => halved / ours, 2),
        column(({ shrunk }) => shrunk),
        column(({ ours, shrunk }) => shrunk / ours, 2),
      ]);
    }
    const header = [
      'JPEG',
      'decodeImage',
      'halved',
      'halved ÷ decodeImage',
      'shrunk on load',
      '÷ decodeImage',
    ];
    return [table(header, lines), `${rounds} rounds.`].join('\n\n');
  },
});

interface Rates {
  ours: number;
  halved: number;
  shrunk: number;
}

/** All three ways take turns in each round; the first round warms up. */
async function measureWays(jpeg: Buffer, rounds: number): Promise<Rates[]> {
  const limits = { pixelsMax: 10e6, timeoutMs: 20_000 };
  const rates: Rates[] = [];
  for (let round = 0; round <= rounds; round++) {
    const ours = await rateOf(() => decodeImage(jpeg, preprocessing, limits));
    const halved = await rateOf(() => decodeBySharp(jpeg, false));
    const shrunk = await rateOf(() => decodeBySharp(jpeg, true));
    if (round > 0) rates.push({ ours, halved, shrunk });
  }
  return rates;
}

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
