import type { ColourKey } from './colourKey.ts';
import { BrokenImage, FileView, type ImageFacts } from './imageFacts.ts';

/** The first frame of a GIF, its pixels not yet decoded. */
export interface GifFrame {
  /** The canvas, made larger where the frame goes past its edge, as Pillow does. */
  width: number;
  height: number;
  frame: { left: number; top: number; width: number; height: number };
  isInterlaced: boolean;
  /** RGB, 3 bytes an entry; undefined where there is none, and an index is a grey level. */
  palette: Uint8Array | undefined;
  transparent: number | undefined;
  /** Bits of the first codes. */
  codeBits: number;
  /** Where the blocks of compressed pixels begin. */
  dataAt: number;
}

const [EXTENSION, IMAGE, TRAILER] = [0x21, 0x2c, 0x3b];
const GRAPHIC_CONTROL = 0xf9;

export function readGif(bytes: Uint8Array): ImageFacts {
  const { width, height } = readGifFrame(bytes);
  return { format: 'GIF', width, height, orientation: 1 };
}

/**
 * Blocks as in the GIF89a specification, read as `GifImagePlugin` of Pillow 13.0.0 reads them: what is no block is passed over.
 *
 * @throws {BrokenImage} where no frame follows
 */
export function readGifFrame(bytes: Uint8Array): GifFrame {
  const view = new FileView(bytes);
  const canvas = { width: view.getUint16(6, true), height: view.getUint16(8, true) };
  let palette = paletteAt(view, 13, view.getUint8(10));
  let at = 13 + paletteBytes(view.getUint8(10));
  let transparent: number | undefined;
  for (; view.getUint8(at) !== IMAGE; ) {
    const block = view.getUint8(at);
    if (block === TRAILER) throw new BrokenImage('it ends before its first frame');
    if (block !== EXTENSION) {
      at += 1;
      continue;
    }
    const isControl = view.getUint8(at + 1) === GRAPHIC_CONTROL && view.getUint8(at + 2) >= 4;
    if (isControl && (view.getUint8(at + 3) & 1) === 1) transparent = view.getUint8(at + 6);
    at = afterBlocks(view, at + 2);
  }
  const [left, top, width, height] = [1, 3, 5, 7].map((offset) => view.getUint16(at + offset, true));
  const frame = { left: left!, top: top!, width: width!, height: height! };
  const flags = view.getUint8(at + 9);
  if (paletteBytes(flags) > 0) palette = paletteAt(view, at + 10, flags);
  const codeBitsAt = at + 10 + paletteBytes(flags);
  return {
    width: Math.max(canvas.width, frame.left + frame.width),
    height: Math.max(canvas.height, frame.top + frame.height),
    frame,
    isInterlaced: (flags & 0x40) !== 0,
    palette,
    transparent,
    codeBits: view.getUint8(codeBitsAt),
    dataAt: codeBitsAt + 1,
  };
}

/** Length of a palette from the flags that announce it, 0 where there is none. */
function paletteBytes(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1);
}

function paletteAt(view: FileView, at: number, flags: number): Uint8Array | undefined {
  return paletteBytes(flags) > 0 ? view.bytes(at, paletteBytes(flags)) : undefined;
}

/** Behind the sub-blocks that begin here, of which an empty one is the last. */
function afterBlocks(view: FileView, from: number): number {
  let at = from;
  while (view.getUint8(at) !== 0) at += 1 + view.getUint8(at);
  return at + 1;
}

/** The frame's compressed pixels, its sub-blocks laid end to end, so far as they are there. */
export function gifData(bytes: Uint8Array, { dataAt }: GifFrame): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (let at = dataAt; at < bytes.length && bytes[at] !== 0; at += 1 + bytes[at]!) {
    blocks.push(bytes.subarray(at + 1, at + 1 + bytes[at]!));
  }
  return Buffer.concat(blocks);
}

/** Red, green and blue of an index; black past the palette's end. */
export function gifColour({ palette }: GifFrame, index: number): ColourKey {
  if (palette === undefined) return [index, index, index];
  return [palette[index * 3] ?? 0, palette[index * 3 + 1] ?? 0, palette[index * 3 + 2] ?? 0];
}
