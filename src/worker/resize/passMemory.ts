import type { PackedTaps } from './packedTaps.ts';

/** Exports of `assembly/resample.ts`, which says what each argument is. */
export interface Passes {
  memory: { buffer: ArrayBuffer; grow(pages: number): number };
  resampleRows: (...of: number[]) => void;
  resampleColumns: (...of: number[]) => void;
}

const PAGE_BYTES = 65_536;
/** Bytes that a pass may read or write past the end of what it works on. */
export const OVERRUN = 16;

/** Where the taps of an axis lie. */
export interface TapsAt {
  first: number;
  weights: number;
}

/** Places in the passes' memory, handed out one after the other. */
export function createLayout() {
  let end = 0;
  const content: [number, Int32Array | Int16Array][] = [];
  function place(bytes: number): number {
    const at = end;
    end = aligned(at + bytes + OVERRUN);
    return at;
  }
  function put(array: Int32Array | Int16Array): number {
    const at = place(array.byteLength);
    content.push([at, array]);
    return at;
  }
  return {
    place,
    placeTaps: ({ first, weights }: PackedTaps): TapsAt => ({ first: put(first), weights: put(weights) }),
    bytes: () => end,
    /** Makes the memory large enough, writes the taps, and gives a view that holds until memory grows again. */
    fill({ memory }: Passes): Uint8Array {
      const missing = end - memory.buffer.byteLength;
      if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
      const bytes = new Uint8Array(memory.buffer);
      for (const [at, array] of content) {
        bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
      }
      return bytes;
    },
  };
}

/** To whole vectors of 16 bytes. */
export function aligned(bytes: number): number {
  return (bytes + 15) & ~15;
}
