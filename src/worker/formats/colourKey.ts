/** Red, green and blue, 0 to 255. */
export type ColourKey = readonly [number, number, number];

/**
 * The one colour that a PNG file declares to be transparent, or undefined: where transparency is a channel, or
 * differs from palette entry to palette entry, there is none.
 *
 * transformers' `load_image` drops an alpha channel, but a transparent colour survives Pillow's `convert('RGB')` as a
 * note, and the image processor (`convert_to_rgb`, transformers 5.23) then paints that colour white.
 */
export function colourKey(bytes: Uint8Array): ColourKey | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return keyOfPng(view);
  } catch (error) {
    // Reading past the end: the file breaks off, and the decoder has its own word on that.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
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

function colourAt(view: DataView, palette: number, index: number): ColourKey {
  const at = palette + index * 3;
  return [view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2)];
}

/** Pillow spreads 1, 2 and 4 bits to 0..255 but not their key, so that only black still meets it; 16 bits lose it. */
function keyOfGrey(level: number, depth: number): ColourKey | undefined {
  return depth === 8 || (depth < 8 && level === 0) ? [level, level, level] : undefined;
}
