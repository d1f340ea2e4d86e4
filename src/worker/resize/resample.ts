import { PRECISION_BITS, type Taps, tapsOf } from './filterTaps.ts';
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

/** Resizes as Pillow's `Image.resize` does, to the bit, and computes only the window that is kept. */
export type Resampler = (source: RgbImage, plan: ResizePlan, filter: Resample) => RgbImage;

/** Both axes of a resize. */
export interface AxisTaps {
  columns: Taps;
  rows: Taps;
}

/** The taps of the columns and the rows that the plan keeps. */
export function planTaps(source: RgbImage, { size, window }: ResizePlan, filter: Resample): AxisTaps {
  return {
    columns: tapsOf(
      { sourceLength: source.width, length: size.width, from: window.left, wanted: window.width },
      filter,
    ),
    rows: tapsOf(
      { sourceLength: source.height, length: size.height, from: window.top, wanted: window.height },
      filter,
    ),
  };
}

/**
 * Whether Pillow 13 resizes the columns before the rows: where the height shrinks by more than twice the pixels that the
 * width does. (Pillow 12 never does.) Bytes are rounded between the passes, so the order shows.
 */
export function isVerticalFirst(source: RgbImage, { size }: ResizePlan): boolean {
  const lost = source.height - size.height;
  return lost > 0 && lost > 2 * (source.width - size.width);
}

/**
 * The definition of resizing here, in plain JavaScript; used itself where the processor has no SIMD for WebAssembly.
 *
 * Source: Pillow 13.0.0, `Resample.c` and `ImagingScaleAffine` of `Geometry.c`.
 */
export const resamplePlain: Resampler = (source, plan, filter) => {
  const { columns, rows } = planTaps(source, plan, filter);
  const firstRow = rows.first[0]!;
  if (isVerticalFirst(source, plan)) {
    return resampleRows(resampleColumns(source, 0, rows), 0, plan.window.height, columns);
  }
  const rowCount = rows.first.at(-1)! + rows.count.at(-1)! - firstRow;
  return resampleColumns(resampleRows(source, firstRow, rowCount, columns), firstRow, rows);
};

const oneHalf = 1 << (PRECISION_BITS - 1);

function clip8(sum: number): number {
  const level = sum >> PRECISION_BITS;
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
