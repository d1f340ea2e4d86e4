import type { Resample } from './preprocessing.ts';

/** Fixed-point bits of a weight. Source: `PRECISION_BITS` of Pillow's `Resample.c`. */
export const PRECISION_BITS = 22;

/** For each wanted target pixel of one axis: its first source pixel, how many it takes, and their weights. */
export interface Taps {
  first: Int32Array;
  count: Int32Array;
  /** `weightsPerPixel` for each target pixel, of which the first `count` are used; `1 << PRECISION_BITS` is one. */
  weights: Int32Array;
  weightsPerPixel: number;
}

/** One axis of a resize: `wanted` of the `length` target pixels are computed, the first of them number `from`. */
export interface Axis {
  sourceLength: number;
  length: number;
  from: number;
  wanted: number;
}

interface Filter {
  /** How far from its centre, in source pixels (target pixels when shrinking), the filter reaches. */
  support: number;
  weight(x: number): number;
}

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

// Hamming's two constants are 32-bit floats in Pillow's C source.
const [HAMMING_MEAN, HAMMING_SWING] = [Math.fround(0.54), Math.fround(0.46)];

/** The filters of Pillow's `Resample.c`. Nearest is no filter there, and is treated apart below. */
const filters: Record<Exclude<Resample, 'nearest'>, Filter> = {
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: {
    support: 1,
    weight: (x) => hamming(Math.abs(x)),
  },
  bicubic: { support: 2, weight: (x) => cubic(Math.abs(x)) },
  lanczos: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

/** For x >= 0. At the centre it is exactly one, which the formula with its two floats is not. */
function hamming(x: number): number {
  if (x === 0) return 1;
  return x < 1 ? sinc(x) * (HAMMING_MEAN + HAMMING_SWING * Math.cos(x * Math.PI)) : 0;
}

/** Keys' cubic with a = -0.5, for x >= 0. */
function cubic(x: number): number {
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * -0.5;
  return 0;
}

/** The taps of one axis, in the rounding of `precompute_coeffs` and `normalize_coeffs_8bpc` of Pillow's `Resample.c`. */
export function tapsOf({ sourceLength, length, from, wanted }: Axis, filter: Resample): Taps {
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
      exact[k] = weight((k + first - centre + 0.5) * (1 / stretch));
      sum += exact[k]!;
    }
    taps.first[i] = first;
    taps.count[i] = count;
    for (let k = 0; k < count; k++) {
      const fixed = (exact[k]! / sum) * 2 ** PRECISION_BITS;
      taps.weights[i * weightsPerPixel + k] = Math.trunc(fixed < 0 ? fixed - 0.5 : fixed + 0.5);
    }
  }
  return taps;
}

/** Pillow adds the step up from pixel to pixel instead of multiplying (`ImagingScaleAffine`), and so do its errors. */
function nearestTaps(scale: number, from: number, wanted: number): Taps {
  const taps = emptyTaps(wanted, 1);
  let at = scale * 0.5;
  for (let i = 0; i < from; i++) at += scale;
  for (let i = 0; i < wanted; i++, at += scale) taps.first[i] = Math.floor(at);
  taps.count.fill(1);
  taps.weights.fill(2 ** PRECISION_BITS);
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
