/** Red, green and blue, 0 to 255. */
export type ColourKey = readonly [number, number, number];

/**
 * The one colour that a PNG or GIF file declares to be transparent, or undefined: where transparency is a channel, or
 * differs from palette entry to palette entry, there is none.
 *
 * transformers' `load_image` drops an alpha channel, but a transparent colour survives Pillow's `convert('RGB')` as a
 * note, and the image processor (`convert_to_rgb`, transformers 5.23) then paints that colour white.
 */
export function colourKey(bytes: Uint8Array): ColourKey | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (view.getUint32(0) === 0x89504e47) return keyOfPng(view);
    if (view.getUint32(0) === 0x47494638) return keyOfGif(view);
  } catch (error) {
    // Reading past the end: the file breaks off, and the decoder has its own word on that.
    if (!(error instanceof RangeError)) throw error;
  }
  return undefined;
}

const ihdr = 0x49484452;
const plte = 0x504c5445;
const trns = 0x74524e53;
const idat = 0x49444154;

function keyOfPng(view: DataView): ColourKey | undefined {
  let [depth, colourType, palette] = [0, 0, 0];
  for (let at = 8; ; at += 12 + view.getUint32(at)) {
    const [length, name, body] = [view.getUint32(at), view.getUint32(at + 4), at + 8];
    if (name === ihdr) [depth, colourType] = [view.getUint8(body + 8), view.getUint8(body + 9)];
    if (name === plte) palette = body;
    if (name === idat) return undefined;
    if (name !== trns) continue;
    if (colourType === 3) return keyOfPalette(view, palette, body, length);
    // Samples are 16 bits wide in the file; Pillow keeps their lower byte.
    if (colourType === 2) return [view.getUint8(body + 1), view.getUint8(body + 3), view.getUint8(body + 5)];
    if (colourType === 0) return keyOfGrey(view.getUint8(body + 1), depth);
    return undefined;
  }
}

/** A key only if one entry is fully transparent and all others are opaque, which is where Pillow draws the line. */
function keyOfPalette(
  view: DataView,
  palette: number,
  alphas: number,
  length: number,
): ColourKey | undefined {
  let index = -1;
  for (let entry = 0; entry < length; entry++) {
    const alpha = view.getUint8(alphas + entry);
    if (alpha === 255) continue;
    if (alpha !== 0 || index !== -1) return undefined;
    index = entry;
  }
  return index === -1 ? undefined : colourAt(view, palette, index);
}

const extension = 0x21;
const graphicControl = 0xf9;
const imageDescriptor = 0x2c;

/** The transparent index stands in the control block before the first frame, its colour in that frame's palette. */
function keyOfGif(view: DataView): ColourKey | undefined {
  const flags = view.getUint8(10);
  const globalPalette = 13;
  let at = globalPalette + paletteBytes(flags);
  let index: number | undefined;
  while (view.getUint8(at) === extension) {
    const isControl = view.getUint8(at + 1) === graphicControl;
    if (isControl && (view.getUint8(at + 3) & 1) === 1) index = view.getUint8(at + 6);
    at += 2;
    while (view.getUint8(at) !== 0) at += 1 + view.getUint8(at);
    at += 1;
  }
  if (index === undefined || view.getUint8(at) !== imageDescriptor) return undefined;
  const hasOwnPalette = paletteBytes(view.getUint8(at + 9)) > 0;
  return colourAt(view, hasOwnPalette ? at + 10 : globalPalette, index);
}

/** Length of a GIF palette from the flags that announce it, 0 where there is none. */
function paletteBytes(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1);
}

function colourAt(view: DataView, palette: number, index: number): ColourKey {
  const at = palette + index * 3;
  return [view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2)];
}

/** Pillow spreads 1, 2 and 4 bits to 0..255 but not their key, so that only black still meets it; 16 bits lose it. */
function keyOfGrey(level: number, depth: number): ColourKey | undefined {
  return depth === 8 || (depth < 8 && level === 0) ? [level, level, level] : undefined;
}
