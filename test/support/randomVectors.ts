/** A small generator with a seed, so that a failure can be seen again (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` vectors of `dimensions` laid end to end, of no particular length, the same for the same seed. */
export function randomVectors(seed: number, count: number, dimensions: number): Float32Array {
  const next = randomNumbers(seed);
  return Float32Array.from({ length: count * dimensions }, () => next() - 0.5);
}
