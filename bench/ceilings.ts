import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import type { OpenedModel } from '../src/classifier.ts';
import { defaultOf } from '../src/shared/options/config.ts';
import { decodeImage } from '../src/worker/decode/decode.ts';
import type { Preprocessing } from '../src/worker/resize/preprocessing.ts';
import { cores } from './commonArguments.ts';

/** What this process needed for some images. */
export interface Cost {
  /** Images a second. */
  rate: number;
  /** Milliseconds of one core that an image took, over all threads. */
  coreMs: number;
}

export async function costOf(work: () => Promise<number>): Promise<Cost> {
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  const images = await work();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { rate: images / seconds, coreMs: (user + system) / 1000 / images };
}

/** decodeImage alone, on all cores, from files on disk. */
export function decodeAlone(files: readonly string[], preprocessing: Preprocessing): Promise<Cost> {
  const limits = { pixelsMax: defaultOf('imagePixelsMax'), timeoutMs: defaultOf('decodeTimeoutMs') };
  return costOf(() =>
    onAllCores(files, async (file) => decodeImage(await readFile(file), preprocessing, limits)),
  );
}

/**
 * sharp's own way to the same size, as its users write it; `whole` keeps it from shrinking a JPEG while decoding, which
 * decodeImage does not do either.
 */
export function sharpAlone(
  files: readonly string[],
  { width, height }: Preprocessing,
  how: 'as users do' | 'whole',
): Promise<Cost> {
  const decode = async (file: string) => {
    const image = sharp(file);
    const resized = how === 'whole' ? image.extract(wholeOf(await image.metadata())) : image;
    return resized.resize(width, height, { fit: 'cover', kernel: 'cubic' }).removeAlpha().raw().toBuffer();
  };
  return costOf(() => onAllCores(files, decode));
}

/** A region taken first is what switches shrinking off, and this one is everything. */
function wholeOf({ width, height }: { width: number; height: number }) {
  return { left: 0, top: 0, width, height };
}

/** Two at once for each core: while one is handed over, another one is worked at. */
async function onAllCores(
  files: readonly string[],
  work: (file: string) => Promise<unknown>,
): Promise<number> {
  let next = 0;
  const lane = async () => {
    for (let i = next++; i < files.length; i = next++) await work(files[i]!);
  };
  await Promise.all(Array.from({ length: 2 * cores }, lane));
  return files.length;
}

/** The bare session on pixels that are ready, one batch queued behind the running one, for at least this much. */
export function sessionAlone(
  { session, preprocessing }: Pick<OpenedModel, 'session' | 'preprocessing'>,
  batch: number,
  atLeast: { images: number; ms: number },
): Promise<Cost> {
  const pixels = new Uint8Array(batch * preprocessing.width * preprocessing.height * 3);
  pixels.forEach((_, place) => {
    pixels[place] = (place * 31) % 256;
  });
  return costOf(async () => {
    const start = performance.now();
    let asked = 0;
    const lane = async () => {
      do {
        asked += batch;
        // A copy, because the session takes the buffer away.
        await session.embedImages(pixels.slice(), batch);
      } while (asked < atLeast.images || performance.now() - start < atLeast.ms);
    };
    await Promise.all([lane(), lane()]);
    return asked;
  });
}
