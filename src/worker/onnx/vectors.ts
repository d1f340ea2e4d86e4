import { ClipfleetError } from '../../shared/errors.ts';

/** The vector of length 1 in the same direction. @throws INFERENCE_FAILED where it has none */
export function unit(vector: Float32Array | Float64Array): Float32Array {
  const length = lengthOf(vector);
  return Float32Array.from(vector, (value) => value / length);
}

/** The Euclidean length, in float64. @throws INFERENCE_FAILED where it is 0 or not finite */
export function lengthOf(vector: Float32Array | Float64Array): number {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const length = Math.sqrt(squares);
  if (length > 0 && length < Infinity) return length;
  throw new ClipfleetError('INFERENCE_FAILED', `Expected an embedding of some length, got one of ${length}.`);
}

/** One vector after the other, in one array. */
export function joinVectors(vectors: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const joined = new Float32Array(vectors.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const vector of vectors) {
    joined.set(vector, at);
    at += vector.length;
  }
  return joined;
}

/** `count` vectors laid end to end, each made unit. @throws INFERENCE_FAILED where one has no direction */
export function unitRows(values: Float32Array, count: number): Float32Array {
  const length = values.length / count;
  const rows = new Float32Array(values.length);
  for (let from = 0; from < values.length; from += length) {
    rows.set(unit(values.subarray(from, from + length)), from);
  }
  return rows;
}
