import type { Row } from '../../shared/rows/row.ts';
import { rankOf } from '../../shared/rows/rowCodec.ts';

/** Remembers which rows were seen, two bytes an image: by their place in the run, and how they ranked then. */
export function createSeenRows() {
  /** By chunk, at each place in it the rank plus 1, or 0. */
  const chunks = new Map<number, Uint16Array>();

  return {
    /** Whether this row is new, or one that replaced the row seen before; the next time it is not. */
    isNew(row: Row): boolean {
      const { chunk, index } = row.place;
      const rank = rankOf(row) + 1;
      const known = chunks.get(chunk);
      if (known && index < known.length) {
        if (known[index]! >= rank) return false;
        known[index] = rank;
        return true;
      }
      const larger = new Uint16Array(Math.max(index + 1, 64));
      larger.set(known ?? []);
      larger[index] = rank;
      chunks.set(chunk, larger);
      return true;
    },
  };
}
