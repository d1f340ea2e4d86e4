import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { defaultOf } from '../src/shared/options/config.ts';
import { decodeImage } from '../src/worker/decode/decode.ts';
import { openDecoders, pixelsOf } from '../src/worker/decoders/decoders.ts';
import { coreSecondsOf } from '../src/worker/decoders/processTree.ts';
import { parsePreprocessing } from '../src/worker/resize/preprocessing.ts';
import { releaseMemory } from '../src/worker/resize/releaseMemory.ts';
import { planResize } from '../src/worker/resize/resizeGeometry.ts';
import { defineBench, table } from './bench.ts';
import { counts, rounds } from './commonArguments.ts';
import { makeJpegs } from './jpegs.ts';
import { format, spreadOf } from './spread.ts';

const sizes = [
  { width: 96, height: 96, count: 1_000 },
  { width: 500, height: 375, count: 300 },
  { width: 2_000, height: 1_500, count: 80 },
  { width: 3_000, height: 2_000, count: 60 },
];
const preprocessing = parsePreprocessing({
  image_processor_type: 'CLIPImageProcessor',
  size: { shortest_edge: 224 },
  crop_size: { height: 224, width: 224 },
});

/** Images under way at the same time, as in a worker with batches of 16. */
const IN_FLIGHT = 48;
/** What the others are compared with. */
const WHOLE = 'sharp, whole';
/** Different files of one size; they are read again and again. */
const FILES = 40;

/** A way from a path to pixels, RGB bytes in memory of their own. */
interface Way {
  name: string;
  decode(path: string): Promise<Uint8Array>;
}

export const decode = defineBench({
  title: 'Decoding: in this process, and in decoders',
  says: `JPEG files on disk to pixels of 224 × 224, ${IN_FLIGHT} images under way at a time. *sharp* is sharp’s own resize with its default,
which lets the JPEG decoder shrink first: fast, and not the pixels of the reference. *sharp, whole* decodes the whole image and resizes it by libvips,
which is how Clipfleet decoded before it had a kernel of its own: near to the reference's pixels, and not equal. *in process* is \`decodeImage\` on this
process’ threads, *N decoders* the stage of a worker with so many child processes: these give the reference's pixels. Rates are images/s, median of the
rounds (smallest to largest); all ways take turns in each round, and one round before warms up. Then milliseconds of CPU time an image, of all
processes and threads together, and of the main thread. The ratios are to *sharp, whole* of the same round.`,
  arguments: { rounds, decoders: counts('1,2', 'Numbers of decoders.') },
  packages: ['sharp'],
  async run({ rounds, decoders }, bed) {
    const stages = decoders.map((count) => ({ count, stage: openStage(count) }));
    for (const { stage } of stages) bed.after(() => stage.close());
    const ways: Way[] = [
      { name: 'sharp', decode: (path) => decodeBySharp(path, 'shrunk while decoding') },
      { name: WHOLE, decode: (path) => decodeBySharp(path, 'whole') },
      {
        name: 'in process',
        decode: async (path) => (await decodeImage(await readFile(path), preprocessing, limits)).data,
      },
      ...stages.map(({ count, stage }) => ({
        name: count === 1 ? '1 decoder' : `${count} decoders`,
        decode: async (uri: string) => pixelsOf(await stage.decode({ file: { uri } })).data,
      })),
    ];
    const whole = ways.findIndex(({ name }) => name === WHOLE);
    const lines: string[][] = [];
    for (const { count, ...size } of sizes) {
      bed.say(`${size.width} × ${size.height}`);
      const { files, name } = await makeJpegs(join(bed.folder, `${size.width}`), { count: FILES, ...size });
      const measured = await measureWays(ways, files, count, rounds);
      for (const [i, way] of ways.entries()) {
        const column = (of: (round: Measured) => number, digits: number) =>
          format(spreadOf(measured.map((round) => of(round[i]!))), digits);
        const ratio = (of: (round: Measured) => number) =>
          format(spreadOf(measured.map((round) => of(round[i]!) / of(round[whole]!))), 2);
        lines.push([
          name,
          way.name,
          column(({ rate }) => rate, 1),
          column(({ cpuMs }) => cpuMs, 2),
          column(({ mainMs }) => mainMs, 3),
          ratio(({ rate }) => rate),
          ratio(({ cpuMs }) => cpuMs),
        ]);
      }
    }
    const header = ['JPEG', 'way', 'images/s', 'CPU ms', 'main thread ms', 'rate ÷', 'CPU ÷'];
    return [table(header, lines), `${rounds} rounds.`].join('\n\n');
  },
});

const limits = { pixelsMax: defaultOf('imagePixelsMax'), timeoutMs: defaultOf('decodeTimeoutMs') };

function openStage(decoders: number) {
  const files = { roots: new Map<string, string>(), trustPaths: true, bytesMax: defaultOf('imageBytesMax') };
  return openDecoders({ preprocessing, decoding: {}, files, decoders });
}

interface Measured {
  rate: number;
  cpuMs: number;
  mainMs: number;
}

/** All ways take turns in each round; the first round warms up. */
async function measureWays(
  ways: Way[],
  files: string[],
  count: number,
  rounds: number,
): Promise<Measured[][]> {
  const measured: Measured[][] = [];
  for (let round = 0; round <= rounds; round++) {
    const these: Measured[] = [];
    for (const way of ways) these.push(await measure(way, files, count));
    if (round > 0) measured.push(these);
  }
  return measured;
}

async function measure({ decode }: Way, files: string[], count: number): Promise<Measured> {
  let begun = 0;
  // Pixels are let go of at once, as a worker does when they are in a batch.
  const decodeNext = async () => {
    while (begun < count) releaseMemory(await decode(files[begun++ % files.length]!));
  };
  // What it takes to read all processes' CPU time is this thread's too: a tenth of a millisecond an image where there are few.
  const cpuBefore = cpuMs();
  const mainBefore = mainThreadMs();
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, decodeNext));
  const tookMs = performance.now() - startedAt;
  const mainUsed = mainThreadMs() - mainBefore;
  return {
    rate: (count * 1_000) / tookMs,
    cpuMs: (cpuMs() - cpuBefore) / count,
    mainMs: mainUsed / count,
  };
}

const cpuMs = () => coreSecondsOf(process.pid) * 1_000;

/**
 * What sharp makes of a plain JPEG. `fastShrinkOnLoad` alone does not switch off that it is shrunk while it is decoded: from a
 * factor of 4 on, it is halved all the same unless a region is taken first. So the region is all of it.
 */
async function decodeBySharp(path: string, how: 'whole' | 'shrunk while decoding'): Promise<Uint8Array> {
  const image = sharp(await readFile(path), { sequentialRead: true, ignoreIcc: true, autoOrient: true });
  const { autoOrient } = await image.metadata();
  const { size, window } = planResize(autoOrient, preprocessing, 'floor');
  const fastShrinkOnLoad = how === 'shrunk while decoding';
  const source = fastShrinkOnLoad ? image : image.extract({ left: 0, top: 0, ...autoOrient });
  const resized = source.resize(size.width, size.height, { fit: 'fill', kernel: 'cubic', fastShrinkOnLoad });
  return resized.extract(window).toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer();
}

/** Milliseconds of CPU time that this process' main thread has used. */
function mainThreadMs(): number {
  const [ns] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
  return Number(ns) / 1e6;
}
