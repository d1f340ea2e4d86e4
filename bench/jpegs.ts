import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';

export interface Jpegs {
  files: string[];
  width: number;
  height: number;
  /** As it stands in a table: size and the mean length of the files. */
  name: string;
}

/** Different JPEG files of one size: windows of one picture, each in colours of its own. */
export async function makeJpegs(
  folder: string,
  { count, width, height }: { count: number; width: number; height: number },
): Promise<Jpegs> {
  await mkdir(folder, { recursive: true });
  const margin = 64;
  const wide = { width: width + margin, height: height + margin, channels: 3 as const };
  const picture = drawPicture(wide.width, wide.height);
  const files = Array.from({ length: count }, (_, i) => join(folder, `${String(i).padStart(5, '0')}.jpg`));
  let bytes = 0;
  for (let from = 0; from < count; from += 8) {
    const made = files.slice(from, from + 8).map(async (file, i) => {
      const seed = from + i;
      const window = { left: (seed * 7) % margin, top: (seed * 13) % margin, width, height };
      const tint = [0.7 + (seed % 7) / 20, 0.7 + (seed % 11) / 30, 0.7 + (seed % 13) / 40];
      const image = sharp(picture, { raw: wide }).extract(window).linear(tint, [0, 0, 0]);
      await writeFile(file, await image.jpeg({ quality: 88 }).toBuffer());
      bytes += (await stat(file)).size;
    });
    await Promise.all(made);
  }
  return { files, width, height, name: `${width} × ${height}, ${Math.round(bytes / count / 1000)} kB` };
}

/** Smooth areas and some grain, RGB, so that a JPEG of it is about as long as a photograph's. */
export function drawPicture(width: number, height: number): Buffer {
  const pixels = Buffer.alloc(width * height * 3);
  let state = 1;
  for (let i = 0; i < pixels.length; i++) {
    state = (state * 48_271) % 2_147_483_647;
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    pixels[i] = 100 + 70 * Math.sin(x / 40) * Math.cos(y / 50) + (state % 64);
  }
  return pixels;
}
