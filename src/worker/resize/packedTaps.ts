import type { Taps } from './filterTaps.ts';

/** Taps of one axis as the SIMD passes read them. */
export interface PackedTaps {
  /** Of each target pixel, its first source pixel: counted from `start`, in units (bytes along a row, rows along a column). */
  first: Int32Array;
  /** Groups of taps, each as the low 15 bits of its weights and then the rest; unused taps weigh nothing. */
  weights: Int16Array;
  /** Groups of each target pixel. */
  groups: number;
  /** The first source pixel that is needed, and how many from there on are. */
  start: number;
  span: number;
  /** Source pixels that the taps of one target pixel reach, those that weigh nothing included. */
  reach: number;
}

const LOW_BITS = 15;

/**
 * Weights in halves, `groupSize` taps a group: four along a row, two along a column.
 *
 * @param unit what one source pixel counts in `first`
 */
export function packTaps(taps: Taps, groupSize: 2 | 4, unit: number): PackedTaps {
  const { first, count, weights, weightsPerPixel } = taps;
  const start = first[0]!;
  let [span, most] = [0, 1];
  for (let i = 0; i < first.length; i++) {
    span = Math.max(span, first[i]! + count[i]! - start);
    most = Math.max(most, count[i]!);
  }
  const groups = Math.ceil(most / groupSize);
  const reach = groups * groupSize;
  const packed = new Int16Array(first.length * reach * 2);
  for (let i = 0; i < first.length; i++) {
    for (let k = 0; k < count[i]!; k++) {
      const weight = weights[i * weightsPerPixel + k]!;
      const inGroup = k % groupSize;
      const at = (i * reach + k - inGroup) * 2 + inGroup;
      packed[at] = weight & ((1 << LOW_BITS) - 1);
      packed[at + groupSize] = weight >> LOW_BITS;
    }
  }
  return { first: first.map((at) => (at - start) * unit), weights: packed, groups, start, span, reach };
}
