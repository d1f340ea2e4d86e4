import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import PQueue from 'p-queue';
import sharp from 'sharp';
import { defaultOf } from '../src/shared/options/config.ts';
import { decodeImage } from '../src/worker/decode/decode.ts';
import { openDecoders, pixelsOf } from '../src/worker/decoders/decoders.ts';
import { parsePreprocessing } from '../src/worker/resize/preprocessing.ts';
import { planResize } from '../src/worker/resize/resizeGeometry.ts';
import { defineBench, table } from './bench.ts';
import { counts, rounds } from './commonArguments.ts';
import { makeJpegs } from './jpegs.ts';
import { coreSecondsOf, mainThreadMs } from './processTree.ts';
import { format, spreadOf } from './spread.ts';

const sizes = [
  { width: 96, height: 96, count: 1_000 },
  { width: 500, height: 375, count: 300 },
  { width: 2_000, height: 1_500, count: 40 },
  { width: 3_000, height: 2_000, count: 24 },
];
const preprocessing = parsePreprocessing({
  image_processor_type: 'CLIPImageProcessor',
  size: { shortest_edge: 224 },
  crop_size: { height: 224, width: 224 },
});

/** Images under way at the same time, as in a worker with batches of 16. */
const IN_FLIGHT = 48;
/** Different files of one size; they are read again and again. */
const FILES = 40;

/** A way from a path to pixels. */
interface Way {
  name: string;
  decode(path: string): Promise<unknown>;
}

export const decode = defineBench({
  title: 'Decoding: in this process, and in decoders',
  says: `JPEG files on disk to pixels of 224 × 224, ${IN_FLIGHT} images under way at a time. *sharp* is sharp’s own resize with its default,
which lets the JPEG decoder shrink first: fast, and not the pixels of the reference. *in process* is \`decodeImage\` on this process’ threads, *N decoders*
the stage of a worker with so many child processes. All give the same pixels but sharp. Rates are images/s, median of the rounds (smallest to
largest); all ways take turns in each round, and one round before warms up. Beside each stand milliseconds of CPU time an image, of all
processes and threads together, and of the main thread.`,
  arguments: { rounds, decoders: counts('1,2', 'Numbers of decoders.') },
  packages: ['sharp'],
  async run({ rounds, decoders }, bed) {
    const stages = decoders.map((count) => ({ count, stage: openStage(count) }));
    for (const { stage } of stages) bed.after(() => stage.close());
    const ways: Way[] = [
      { name: 'sharp', decode: decodeBySharp },
      {
        name: 'in process',
        decode: async (path) => decodeImage(await readFile(path), preprocessing, limits),
      },
      ...stages.map(({ count, stage }) => ({
        name: count === 1 ? '1 decoder' : `${count} decoders`,
        decode: async (uri: string) => pixelsOf(await stage.decode({ file: { uri } })),
      })),
    ];
    const lines: string[][] = [];
    for (const { count, ...size } of sizes) {
      bed.say(`${size.width} × ${size.height}`);
      const { files, name } = await makeJpegs(join(bed.folder, `${size.width}`), { count: FILES, ...size });
      const measured = await measureWays(ways, files, count, rounds);
      for (const [i, way] of ways.entries()) {
        const column = (of: (round: Measured) => number, digits: number) =>
          format(spreadOf(measured.map((round) => of(round[i]!))), digits);
        lines.push([
          name,
          way.name,
          column(({ rate }) => rate, 1),
          column(({ cpuMs }) => cpuMs, 2),
          column(({ mainMs }) => mainMs, 3),
        ]);
      }
    }
    const header = ['JPEG', 'way', 'images/s', 'CPU ms', 'main thread ms'];
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
  const queue = new PQueue({ concurrency: IN_FLIGHT });
  const before = { cpuMs: cpuMs(), mainMs: mainThreadMs() };
  const startedAt = performance.now();
  await queue.addAll(Array.from({ length: count }, (_, i) => () => decode(files[i % files.length]!)));
  const tookMs = performance.now() - startedAt;
  return {
    rate: (count * 1_000) / tookMs,
    cpuMs: (cpuMs() - before.cpuMs) / count,
    mainMs: (mainThreadMs() - before.mainMs) / count,
  };
}

const cpuMs = () => coreSecondsOf(process.pid) * 1_000;

/** What sharp does by itself with a plain JPEG. */
async function decodeBySharp(path: string): Promise<Uint8Array> {
  const image = sharp(await readFile(path), { sequentialRead: true, ignoreIcc: true, autoOrient: true });
  const { autoOrient } = await image.metadata();
  const { size, window } = planResize(autoOrient, preprocessing, 'floor');
  const resized = image.resize(size.width, size.height, { fit: 'fill', kernel: 'cubic' }).extract(window);
  return resized.toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer();
}
