import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { drawPicture } from './jpegs.ts';

/** Different small JPEG and PNG files, of many sizes, some with alpha; their names. */
export async function makeSmallPictures(folder: string, count: number): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const raw = { width: 480, height: 400, channels: 3 as const };
  const picture = drawPicture(raw.width, raw.height);
  const names: string[] = [];
  for (let i = 0; i < count; i++) {
    const window = {
      left: i % 80,
      top: (i * 3) % 80,
      width: 80 + ((i * 37) % 320),
      height: 80 + ((i * 53) % 240),
    };
    const image = sharp(picture, { raw }).extract(window);
    const [file, name] =
      i % 2 === 0 ? [image.jpeg(), `${i}.jpg`] : [image.ensureAlpha(i % 4 === 1 ? 0.5 : 1).png(), `${i}.png`];
    await writeFile(join(folder, name), await file.toBuffer());
    names.push(name);
  }
  return names;
}
