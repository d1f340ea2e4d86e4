import type { Resample } from './preprocessing.ts';
import type { ResizePlan } from './resizeGeometry.ts';

/** RGB, 8 bits a channel, interleaved, rows from the top: `height * width * 3` bytes. */
export interface RgbImage {
  data: Uint8Array;
  width: number;
  height: number;
}

/** Bytes of one image's pixels of this size: RGB, 8 bits a channel. */
export function imageBytesOf({ width, height }: Pick<RgbImage, 'width' | 'height'>): number {
  return width * height * 3;
}

interface Filter {
  /** How far from its centre, in source pixels (target pixels when shrinking), the filter reaches. */
  support: number;
  weight(x: number): number;
}

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

/** The filters of Pillow's `Resample.c`. Nearest is no filter there, and is treated apart below. */
const filters: Record<Exclude<Resample, 'nearest'>, Filter> = {
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: {
    support: 1,
    weight: (x) => (Math.abs(x) >= 1 ? 0 : sinc(x) * (0.54 + 0.46 * Math.cos(x * Math.PI))),
  },
  bicubic: { support: 2, weight: (x) => cubic(Math.abs(x)) },
  lanczos: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

/** Keys' cubic with a = -0.5, for x >= 0. */
function cubic(x: number): number {
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
  return 0;
}

/** Fixed-point bits of a weight, as Pillow has them, so that sums round alike. */
const precisionBits = 22;

/** For each wanted target pixel of one axis: its first source pixel, how many it takes, and their weights. */
interface Taps {
  first: Int32Array;
  count: Int32Array;
  weights: Int32Array;
  weightsPerPixel: number;
}

/**
 * Resizes as Pillow's `Image.resize` does, to the bit, and computes only the window that is kept.
 *
 * libvips ignores the kernel when it enlarges (2 to 4 grey levels off), and knows neither box nor hamming. Runs on the
 * caller's thread: 3 ms for 224 x 224 pixels out, so long as the image is not much larger than what comes out.
 */
export function resample(source: RgbImage, plan: ResizePlan, filter: Resample): RgbImage {
  const { size, window } = plan;
  const columns = tapsOf(source.width, size.width, window.left, window.width, filter);
  const rows = tapsOf(source.height, size.height, window.top, window.height, filter);
  const firstRow = rows.first[0]!;
  const rowCount = rows.first[window.height - 1]! + rows.count[window.height - 1]! - firstRow;
  const narrowed = resampleRows(source, firstRow, rowCount, columns);
  return resampleColumns(narrowed, firstRow, rows);
}

function tapsOf(sourceLength: number, length: number, from: number, wanted: number, filter: Resample): Taps {
  const scale = sourceLength / length;
  if (filter === 'nearest') return nearestTaps(scale, from, wanted);
  const { support, weight } = filters[filter];
  const stretch = Math.max(scale, 1);
  const reach = support * stretch;
  const weightsPerPixel = Math.ceil(reach) * 2 + 1;
  const taps = emptyTaps(wanted, weightsPerPixel);
  const exact = new Float64Array(weightsPerPixel);
  for (let i = 0; i < wanted; i++) {
    const centre = (from + i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const count = Math.min(sourceLength, Math.trunc(centre + reach + 0.5)) - first;
    let sum = 0;
    for (let k = 0; k < count; k++) {
      exact[k] = weight((k + first - centre + 0.5) / stretch);
      sum += exact[k]!;
    }
    taps.first[i] = first;
    taps.count[i] = count;
    for (let k = 0; k < count; k++) {
      const fixed = (exact[k]! / sum) * 2 ** precisionBits;
      taps.weights[i * weightsPerPixel + k] = Math.trunc(fixed < 0 ? fixed - 0.5 : fixed + 0.5);
    }
  }
  return taps;
}

function nearestTaps(scale: number, from: number, wanted: number): Taps {
  const taps = emptyTaps(wanted, 1);
  taps.first.forEach((_, i) => {
    taps.first[i] = Math.floor((from + i + 0.5) * scale);
  });
  taps.count.fill(1);
  taps.weights.fill(2 ** precisionBits);
  return taps;
}

function emptyTaps(wanted: number, weightsPerPixel: number): Taps {
  return {
    first: new Int32Array(wanted),
    count: new Int32Array(wanted),
    weights: new Int32Array(wanted * weightsPerPixel),
    weightsPerPixel,
  };
}

const oneHalf = 1 << (precisionBits - 1);

function clip8(sum: number): number {
  const level = sum >> precisionBits;
  return level < 0 ? 0 : level > 255 ? 255 : level;
}

function resampleRows(source: RgbImage, firstRow: number, rowCount: number, taps: Taps): RgbImage {
  const width = taps.first.length;
  const { first, count, weights, weightsPerPixel } = taps;
  const from = source.data;
  const data = new Uint8Array(rowCount * width * 3);
  let to = 0;
  for (let y = firstRow; y < firstRow + rowCount; y++) {
    for (let x = 0; x < width; x++) {
      let at = (y * source.width + first[x]!) * 3;
      let [red, green, blue] = [oneHalf, oneHalf, oneHalf];
      const start = x * weightsPerPixel;
      for (let k = start; k < start + count[x]!; k++, at += 3) {
        const weight = weights[k]!;
        red += from[at]! * weight;
        green += from[at + 1]! * weight;
        blue += from[at + 2]! * weight;
      }
      data[to++] = clip8(red);
      data[to++] = clip8(green);
      data[to++] = clip8(blue);
    }
  }
  return { data, width, height: rowCount };
}

/** `source` begins at row `firstRow` of the image that the taps speak of. */
function resampleColumns(source: RgbImage, firstRow: number, taps: Taps): RgbImage {
  const height = taps.first.length;
  const { first, count, weights, weightsPerPixel } = taps;
  const stride = source.width * 3;
  const from = source.data;
  const data = new Uint8Array(height * stride);
  for (let y = 0; y < height; y++) {
    const start = y * weightsPerPixel;
    const top = (first[y]! - firstRow) * stride;
    for (let x = 0; x < stride; x++) {
      let sum = oneHalf;
      for (let k = 0, at = top + x; k < count[y]!; k++, at += stride) sum += from[at]! * weights[start + k]!;
      data[y * stride + x] = clip8(sum);
    }
  }
  return { data, width: source.width, height };
}
