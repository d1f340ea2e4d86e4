import { type BmpLayout, readBmpLayout } from '../formats/bmpFacts.ts';
import { BrokenImage } from '../formats/imageFacts.ts';
import type { RgbImage } from '../resize/resample.ts';

/**
 * A Windows bitmap as Pillow reads it, alpha dropped.
 *
 * @throws {BrokenImage} where it breaks off, unless `truncated` is to be accepted: then the rows that are there, black else
 */
export function decodeBmp(bytes: Uint8Array, truncated: 'fail' | 'accept'): RgbImage {
  const layout = readBmpLayout(bytes);
  if (typeof layout === 'string') throw new BrokenImage(layout);
  const { width, height, bits, compression } = layout;
  const source = compression === 'run lengths' ? unpackRuns(bytes, layout) : bytes.subarray(layout.dataAt);
  const pixelBits = compression === 'run lengths' ? 8 : bits;
  const stride = compression === 'run lengths' ? width : ((width * bits + 31) >> 3) & ~3;
  const needed = (height - 1) * stride + Math.ceil((width * pixelBits) / 8);
  if (source.length < needed && truncated === 'fail') {
    throw new BrokenImage(`its pixels take ${needed} bytes, and ${source.length} are there`);
  }
  const data = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const y = layout.isTopDown ? row : height - 1 - row;
    const line = source.subarray(row * stride, (row + 1) * stride);
    paintRow(data.subarray(y * width * 3, (y + 1) * width * 3), line, layout, pixelBits);
  }
  return { data, width, height };
}

function paintRow(to: Uint8Array, line: Uint8Array, layout: BmpLayout, bits: number): void {
  const { palette, paletteEntryBytes, channels, isWideGreen } = layout;
  const pixels = to.length / 3;
  for (let x = 0; x < pixels; x++) {
    if (bits <= 8) {
      const byte = line[(x * bits) >> 3] ?? 0;
      const index = (byte >> (8 - bits - ((x * bits) & 7))) & ((1 << bits) - 1);
      for (let i = 0; i < 3; i++) to[x * 3 + i] = palette[index * paletteEntryBytes + 2 - i] ?? 0;
    } else if (bits === 16) {
      const word = (line[x * 2] ?? 0) | ((line[x * 2 + 1] ?? 0) << 8);
      to[x * 3] = spread(word >> (isWideGreen ? 11 : 10), 31);
      to[x * 3 + 1] = spread(word >> 5, isWideGreen ? 63 : 31);
      to[x * 3 + 2] = spread(word, 31);
    } else {
      for (let i = 0; i < 3; i++) to[x * 3 + i] = line[(x * bits) / 8 + channels[i]!] ?? 0;
    }
  }
}

/** The lower bits of a word as 0 to 255, rounded down. Source: `ImagingUnpackBGR15` and `16` of Pillow's `Unpack.c`. */
function spread(word: number, most: number): number {
  return Math.floor(((word & most) * 255) / most);
}

/** Run lengths of 8 or 4 bits as one index a byte, rows from the bottom; what was skipped is 0. */
function unpackRuns(bytes: Uint8Array, { width, height, bits, dataAt }: BmpLayout): Uint8Array {
  const indices = new Uint8Array(width * height);
  const nibble = (byte: number, i: number) => (i % 2 === 0 ? byte >> 4 : byte & 15);
  let [at, to, x] = [dataAt, 0, 0];
  while (to < indices.length && at + 1 < bytes.length) {
    const [count, byte] = [bytes[at]!, bytes[at + 1]!];
    at += 2;
    if (count > 0) {
      const kept = Math.min(count, width - x);
      for (let i = 0; i < kept; i++) indices[to++] = bits === 8 ? byte : nibble(byte, i);
      x += kept;
    } else if (byte === 0) {
      to = Math.ceil(to / width) * width;
      x = 0;
    } else if (byte === 1) {
      break;
    } else if (byte === 2) {
      to += (bytes[at] ?? 0) + (bytes[at + 1] ?? 0) * width;
      at += 2;
      x = to % width;
    } else {
      const kept = Math.min(byte, indices.length - to);
      for (let i = 0; i < kept; i++) {
        indices[to++] = bits === 8 ? (bytes[at + i] ?? 0) : nibble(bytes[at + (i >> 1)] ?? 0, i);
      }
      at += bits === 8 ? kept : Math.ceil(kept / 2);
      x += byte;
      at += at % 2;
    }
  }
  return indices.subarray(0, to);
}
