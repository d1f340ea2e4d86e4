import type { Preprocessing } from '../resize/preprocessing.ts';

/**
 * Pixels of `count` images (height, width, channel; 8 bits, one image after the other) as the tensor a vision tower
 * takes: float32, count x 3 x height x width, rescaled and normalised.
 *
 * A grey level has 256 values, so every number there is comes from a table, rounded to float32 where transformers'
 * `rescale` and `normalize` (numpy) round.
 */
export function packPixels(pixels: Uint8Array, count: number, preprocessing: Preprocessing): Float32Array {
  const plane = preprocessing.width * preprocessing.height;
  if (pixels.length !== count * plane * 3) {
    throw new RangeError(`expected ${count} images of ${plane * 3} bytes, got ${pixels.length} bytes`);
  }
  const [reds, greens, blues] = [0, 1, 2].map((channel) => levelsOf(channel, preprocessing));
  const tensor = new Float32Array(pixels.length);
  for (let image = 0, from = 0; image < count; image++) {
    const to = image * plane * 3;
    for (let red = to, green = to + plane, blue = green + plane; red < to + plane; red++, green++, blue++) {
      tensor[red] = reds![pixels[from++]!]!;
      tensor[green] = greens![pixels[from++]!]!;
      tensor[blue] = blues![pixels[from++]!]!;
    }
  }
  return tensor;
}

function levelsOf(channel: number, { rescaleFactor, normalize }: Preprocessing): Float32Array {
  const levels = Float32Array.from({ length: 256 }, (_, level) => level * rescaleFactor);
  if (normalize === undefined) return levels;
  const mean = Math.fround(normalize.mean[channel]!);
  const std = Math.fround(normalize.std[channel]!);
  return levels.map((level) => Math.fround(level - mean) / std);
}
