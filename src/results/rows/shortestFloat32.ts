/** Below it float32 has fewer digits (IEEE 754: the smallest normal number). */
const NORMAL_MIN = 2 ** -126;
/** Any decimal of so many digits survives float32 and back. */
const DIGITS_SURE = 6;

/**
 * The shortest decimal that reads back as the same float32, which scores are: 0.9123 instead of the 17 digits of its double.
 * Nine significant digits always do (IEEE 754, binary32). So of a shorter one the sixth digits and those after it are zeros.
 */
export function shortestFloat32(value: number): string {
  const single = Math.fround(value);
  for (let digits = Math.abs(single) < NORMAL_MIN ? 1 : DIGITS_SURE; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === single) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}

/** The same number, as the double of the fewest digits. */
export function shortFloat32(value: number): number {
  return Number(shortestFloat32(value));
}
