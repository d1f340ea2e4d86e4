import type { FileView } from './imageFacts.ts';

/** A box of an ISO base media file (ISO/IEC 14496-12): where its content begins and ends. */
export interface Box {
  type: string;
  start: number;
  end: number;
}

/** Boxes of a file may lie inside each other without end. */
const BOXES_MAX = 4096;

/**
 * The boxes between two places, one after the other, each when it is asked for.
 *
 * @throws {RangeError} where one goes past the end of what holds it
 */
export function* boxesIn(view: FileView, start: number, end: number): Generator<Box> {
  let at = start;
  for (let count = 0; at + 8 <= end && count < BOXES_MAX; count++) {
    let [length, head] = [view.getUint32(at), 8];
    if (length === 1) [length, head] = [Number(view.getBigUint64(at + 8)), 16];
    if (length === 0) length = end - at;
    if (length < head || at + length > end) {
      throw new RangeError(`a box at ${at} of ${length} bytes ends past ${end}`);
    }
    yield { type: view.latin1(at + 4, 4), start: at + head, end: at + length };
    at += length;
  }
}

/** The box at the end of a path of types, of each the first; undefined where it is not there. */
export function boxAt(view: FileView, within: Box, ...path: string[]): Box | undefined {
  let box: Box | undefined = within;
  for (const type of path) box = box && firstOf(type, innerBoxes(view, box));
  return box;
}

function firstOf(type: string, boxes: Iterable<Box>): Box | undefined {
  for (const box of boxes) if (box.type === type) return box;
  return undefined;
}

function innerBoxes(view: FileView, { type, start, end }: Box): Generator<Box> {
  // `meta` has four bytes of version and flags before what it holds.
  return boxesIn(view, type === 'meta' ? start + 4 : start, end);
}

/** A file as a box. */
export function wholeFile(view: FileView): Box {
  return { type: 'file', start: 0, end: view.byteLength };
}
