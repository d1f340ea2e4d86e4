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
 * The boxes between two places, one after the other.
 *
 * @throws {RangeError} where one goes past the end of what holds it
 */
export function boxesIn(view: FileView, start: number, end: number): Box[] {
  const boxes: Box[] = [];
  for (let at = start; at + 8 <= end && boxes.length < BOXES_MAX; ) {
    let [length, head] = [view.getUint32(at), 8];
    if (length === 1) [length, head] = [Number(view.getBigUint64(at + 8)), 16];
    if (length === 0) length = end - at;
    if (length < head || at + length > end)
      throw new RangeError(`box at ${at} of ${length} bytes ends past ${end}`);
    boxes.push({ type: view.latin1(at + 4, 4), start: at + head, end: at + length });
    at += length;
  }
  return boxes;
}

/** The box at the end of a path of types, of each the first; undefined where it is not there. */
export function boxAt(view: FileView, within: Box, ...path: string[]): Box | undefined {
  let box: Box | undefined = within;
  for (const type of path) box = box && innerBoxes(view, box).find((inner) => inner.type === type);
  return box;
}

function innerBoxes(view: FileView, { type, start, end }: Box): Box[] {
  // `meta` has four bytes of version and flags before what it holds.
  return boxesIn(view, type === 'meta' ? start + 4 : start, end);
}

/** A file as a box. */
export function wholeFile(view: FileView): Box {
  return { type: 'file', start: 0, end: view.byteLength };
}
