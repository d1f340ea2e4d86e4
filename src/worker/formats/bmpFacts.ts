import { FileView, type ImageFacts } from './imageFacts.ts';

/** How the pixels of a Windows bitmap lie in its file. */
export interface BmpLayout {
  width: number;
  height: number;
  isTopDown: boolean;
  bits: number;
  compression: 'none' | 'run lengths' | 'masks';
  /** Byte of each of red, green and blue in a pixel of 24 or 32 bits. */
  channels: readonly [number, number, number];
  /** Of 16 bits: whether green has six of them instead of five. */
  isWideGreen: boolean;
  /** Entries of blue, green, red and, but for the oldest header, one unused byte. */
  palette: Uint8Array;
  paletteEntryBytes: number;
  dataAt: number;
}

const BGR = [2, 1, 0] as const;
/** Masks of red, green and blue of a 32-bit pixel, and in which of its bytes each stands. Source: `BmpImagePlugin`. */
const layoutsOf32 = new Map<string, readonly [number, number, number]>([
  ['ff0000,ff00,ff', BGR],
  ['ff000000,ff0000,ff00', [3, 2, 1]],
  ['ff000000,ff00,ff', [3, 1, 0]],
  ['ff,ff00,ff0000', [0, 1, 2]],
  ['0,0,0', BGR],
]);

/**
 * Size of a Windows bitmap, and what of it is not read.
 *
 * @throws {RangeError} where the header breaks off
 */
export function readBmp(bytes: Uint8Array): ImageFacts {
  const layout = readBmpLayout(bytes);
  const facts = { format: 'BMP', width: 0, height: 0, orientation: 1 } as const;
  if (typeof layout === 'string') return { ...facts, unsupported: `a Windows bitmap of ${layout}` };
  return { ...facts, width: layout.width, height: layout.height };
}

/** The layout, or what about it is not read. As `BmpImagePlugin` of Pillow 13.0.0. */
export function readBmpLayout(bytes: Uint8Array): BmpLayout | string {
  const view = new FileView(bytes);
  const headerBytes = view.getUint32(14, true);
  const isOldest = headerBytes === 12;
  const signedHeight = isOldest ? view.getUint16(20, true) : view.getInt32(22, true);
  const bits = view.getUint16(isOldest ? 24 : 28, true);
  const code = isOldest ? 0 : view.getUint32(30, true);
  if (![1, 4, 8, 16, 24, 32].includes(bits)) return `${bits} bits a pixel`;
  if (code > 3) return `compression ${code === 4 ? 'JPEG' : code === 5 ? 'PNG' : code}`;
  if ((code === 1 && bits !== 8) || (code === 2 && bits !== 4)) return `run lengths of ${bits} bits`;
  const masks = code === 3 ? [0, 1, 2].map((i) => view.getUint32(54 + 4 * i, true).toString(16)).join() : '';
  const channels = code === 3 && bits === 32 ? layoutsOf32.get(masks) : BGR;
  const isWideGreen = masks === 'f800,7e0,1f';
  const isKnown =
    code !== 3 ||
    (bits === 32 && channels) ||
    (bits === 24 && masks === 'ff0000,ff00,ff') ||
    (bits === 16 && (isWideGreen || masks === '7c00,3e0,1f'));
  if (!isKnown || channels === undefined) return `${bits} bits with the masks ${masks}`;

  const paletteEntryBytes = isOldest ? 3 : 4;
  const colours = bits > 8 ? 0 : (isOldest ? 0 : view.getUint32(46, true)) || 1 << bits;
  if (colours > 65_536) return `${colours} colours`;
  const paletteAt = 14 + headerBytes;
  const paletteEnd = paletteAt + colours * paletteEntryBytes;
  const offset = view.getUint32(10, true);
  const masksBytes = code === 3 && headerBytes === 40 ? 12 : 0;
  return {
    width: isOldest ? view.getUint16(18, true) : view.getUint32(18, true),
    height: Math.abs(signedHeight),
    isTopDown: signedHeight < 0,
    bits,
    compression: code === 0 ? 'none' : code === 3 ? 'masks' : 'run lengths',
    channels,
    isWideGreen,
    palette: bytes.subarray(paletteAt, paletteEnd),
    paletteEntryBytes,
    dataAt: offset === 0 || (offset === paletteAt && colours > 0) ? paletteEnd + masksBytes : offset,
  };
}
