/*
 * The two passes of Pillow's resize with SIMD. AssemblyScript, compiled by `npm run build`: not for tsc.
 *
 * Definition: `resamplePlain` of src/worker/resize/resample.ts, whose bytes these give. Memory is laid out by
 * src/worker/resize/simdKernel.ts.
 *
 * A weight has 22 fixed-point bits and may exceed one, so it does not fit a 16-bit product. It is split:
 * weight = high * 2^15 + low, both 16 bits with a sign. `i32x4.dot_i16x8_s` then takes two taps at once. Sums are modulo
 * 2^32, as those of the definition are, so that the halves add up to the same bits.
 */

const BITS: i32 = 22;
const ONE_HALF: i32 = 1 << (BITS - 1);

/** Four sums of low and high halves, rounded and cut to whole levels; the caller's narrowing clips them to 0 to 255. */
function levels(low: v128, high: v128): v128 {
  return i32x4.shr_s(i32x4.add(i32x4.add(low, i32x4.splat(ONE_HALF)), i32x4.shl(high, 15)), BITS);
}

/** Pixels 0 and 1 of 4 as red, red, green, green, blue, blue, 16 bits each: what one dot product takes. */
function firstPair(pixels: v128): v128 {
  return i8x16.swizzle(pixels, i8x16(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1));
}

/** Pixels 2 and 3 of 4, as `firstPair`. */
function secondPair(pixels: v128): v128 {
  return i8x16.swizzle(pixels, i8x16(6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1));
}

/** Writes one RGB pixel and a byte of zero after it. */
function storePixel(at: usize, low: v128, high: v128): void {
  const sums = levels(low, high);
  const words = i16x8.narrow_i32x4_s(sums, sums);
  v128.store32_lane(at, i8x16.narrow_i16x8_u(words, words), 0);
}

/**
 * Resizes each of `rows` rows of RGB to `width` pixels, two rows at once, four taps a step.
 *
 * `first` holds the byte offset of each target pixel's first source pixel (i32), `weights` its taps in `groups` groups of
 * four: low halves 0 to 3, high halves 0 to 3 (i16). Reads up to 16 bytes past the last pixel it needs, and writes one byte
 * past each row: `targetStride` is at least 3 * width + 1.
 */
export function resampleRows(
  source: usize,
  sourceStride: i32,
  rows: i32,
  target: usize,
  targetStride: i32,
  width: i32,
  first: usize,
  weights: usize,
  groups: i32,
): void {
  for (let y = 0; y < rows; y += 2) {
    // An odd last row is done twice, onto itself.
    const sourceStep = y + 1 < rows ? sourceStride : 0;
    const targetStep = y + 1 < rows ? targetStride : 0;
    let to = target;
    let weight = weights;
    for (let x = 0; x < width; x++) {
      let at = source + load<i32>(first + ((<usize>x) << 2));
      let low0 = i32x4.splat(0);
      let high0 = i32x4.splat(0);
      let low1 = i32x4.splat(0);
      let high1 = i32x4.splat(0);
      for (const end = weight + ((<usize>groups) << 4); weight < end; weight += 16, at += 12) {
        const upper = v128.load(at);
        const lower = v128.load(at + sourceStep);
        const upper01 = firstPair(upper);
        const upper23 = secondPair(upper);
        const lower01 = firstPair(lower);
        const lower23 = secondPair(lower);
        const weights01 = v128.load32_splat(weight);
        const weights23 = v128.load32_splat(weight, 4);
        const highs01 = v128.load32_splat(weight, 8);
        const highs23 = v128.load32_splat(weight, 12);
        low0 = i32x4.add(
          low0,
          i32x4.add(i32x4.dot_i16x8_s(upper01, weights01), i32x4.dot_i16x8_s(upper23, weights23)),
        );
        high0 = i32x4.add(
          high0,
          i32x4.add(i32x4.dot_i16x8_s(upper01, highs01), i32x4.dot_i16x8_s(upper23, highs23)),
        );
        low1 = i32x4.add(
          low1,
          i32x4.add(i32x4.dot_i16x8_s(lower01, weights01), i32x4.dot_i16x8_s(lower23, weights23)),
        );
        high1 = i32x4.add(
          high1,
          i32x4.add(i32x4.dot_i16x8_s(lower01, highs01), i32x4.dot_i16x8_s(lower23, highs23)),
        );
      }
      storePixel(to, low0, high0);
      storePixel(to + targetStep, low1, high1);
      to += 3;
    }
    source += sourceStride << 1;
    target += targetStride << 1;
  }
}

/**
 * Makes `height` rows of `bytes` bytes, each a weighted sum of source rows, 16 bytes and two taps a step.
 *
 * `first` holds each target row's first source row (i32), `weights` its taps in `pairs` pairs: two low halves, two high
 * halves (i16). Writes up to 15 bytes past the target's end, and reads as far past the source's.
 */
export function resampleColumns(
  source: usize,
  sourceStride: i32,
  target: usize,
  bytes: i32,
  height: i32,
  first: usize,
  weights: usize,
  pairs: i32,
): void {
  for (let y = 0; y < height; y++) {
    const top = source + load<i32>(first + ((<usize>y) << 2)) * sourceStride;
    const end = weights + ((<usize>pairs) << 3);
    for (let x = 0; x < bytes; x += 16) {
      let at = top + x;
      let low0 = i32x4.splat(0);
      let low1 = i32x4.splat(0);
      let low2 = i32x4.splat(0);
      let low3 = i32x4.splat(0);
      let high0 = i32x4.splat(0);
      let high1 = i32x4.splat(0);
      let high2 = i32x4.splat(0);
      let high3 = i32x4.splat(0);
      for (let weight = weights; weight < end; weight += 8, at += sourceStride << 1) {
        const upper = v128.load(at);
        const lower = v128.load(at + sourceStride);
        // biome-ignore format: eight pairs, one byte of each row
        const left = i8x16.shuffle(upper, lower, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        // biome-ignore format: the other eight
        const right = i8x16.shuffle(upper, lower, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        const pixels0 = i16x8.extend_low_i8x16_u(left);
        const pixels1 = i16x8.extend_high_i8x16_u(left);
        const pixels2 = i16x8.extend_low_i8x16_u(right);
        const pixels3 = i16x8.extend_high_i8x16_u(right);
        const low = v128.load32_splat(weight);
        const high = v128.load32_splat(weight, 4);
        low0 = i32x4.add(low0, i32x4.dot_i16x8_s(pixels0, low));
        high0 = i32x4.add(high0, i32x4.dot_i16x8_s(pixels0, high));
        low1 = i32x4.add(low1, i32x4.dot_i16x8_s(pixels1, low));
        high1 = i32x4.add(high1, i32x4.dot_i16x8_s(pixels1, high));
        low2 = i32x4.add(low2, i32x4.dot_i16x8_s(pixels2, low));
        high2 = i32x4.add(high2, i32x4.dot_i16x8_s(pixels2, high));
        low3 = i32x4.add(low3, i32x4.dot_i16x8_s(pixels3, low));
        high3 = i32x4.add(high3, i32x4.dot_i16x8_s(pixels3, high));
      }
      const words0 = i16x8.narrow_i32x4_s(levels(low0, high0), levels(low1, high1));
      const words1 = i16x8.narrow_i32x4_s(levels(low2, high2), levels(low3, high3));
      v128.store(target + x, i8x16.narrow_i16x8_u(words0, words1));
    }
    weights = end;
    target += bytes;
  }
}
