import type { Size } from './preprocessing.ts';

const MARKER = 0xff;
const SOI = 0xd8;
const SOS = 0xda;
const APP1 = 0xe1;
/** Exif in TIFF (CIPA DC-008, 4.6.4): the tag that says how the image is turned, and the value for "as it is". */
const ORIENTATION = 0x0112;
const UPRIGHT = 1;

/**
 * The size of a JPEG that needs no second look: 8 bits, grey or three colours, and not turned by its Exif orientation.
 * Undefined for every other file, also for one that is only odd: libvips then says what it is, which takes it a twentieth of
 * the time of decoding a photograph of half a megapixel.
 *
 * Segments as in ITU-T T.81, annex B.
 */
export function plainJpegSize(bytes: Uint8Array): Size | undefined {
  if (bytes[0] !== MARKER || bytes[1] !== SOI) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 2; at + 4 <= bytes.length; ) {
    const marker = bytes[at + 1]!;
    if (bytes[at] !== MARKER || marker === MARKER || marker === SOS) return undefined;
    const length = view.getUint16(at + 2);
    if (isStartOfFrame(marker)) return sizeOf(view, at + 4, length);
    if (marker === APP1 && !isUpright(view, at + 4, length - 2)) return undefined;
    at += 2 + length;
  }
  return undefined;
}

/** SOF0 to SOF15, without the three among them that are DHT, JPG and DAC. */
function isStartOfFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

function sizeOf(view: DataView, at: number, length: number): Size | undefined {
  if (length < 8 || at + 6 > view.byteLength) return undefined;
  const [precision, components] = [view.getUint8(at), view.getUint8(at + 5)];
  const size = { width: view.getUint16(at + 3), height: view.getUint16(at + 1) };
  const isPlain = precision === 8 && (components === 1 || components === 3);
  return isPlain && size.width > 0 && size.height > 0 ? size : undefined;
}

/** Whether the segment is not Exif, or Exif that turns nothing. Exif that is not as it should be is not upright. */
function isUpright(view: DataView, at: number, length: number): boolean {
  if (length < 14 || at + length > view.byteLength) return length < 14;
  if (view.getUint32(at) !== 0x45786966 || view.getUint16(at + 4) !== 0) return true;
  const tiff = new DataView(view.buffer, view.byteOffset + at + 6, length - 6);
  const order = tiff.getUint16(0);
  const little = order === 0x4949;
  if (!little && order !== 0x4d4d) return false;
  const directory = tiff.getUint32(4, little);
  if (directory + 2 > tiff.byteLength) return false;
  const entries = tiff.getUint16(directory, little);
  if (directory + 2 + 12 * entries > tiff.byteLength) return false;
  for (let entry = directory + 2; entry < directory + 2 + 12 * entries; entry += 12) {
    if (tiff.getUint16(entry, little) === ORIENTATION) return tiff.getUint16(entry + 8, little) === UPRIGHT;
  }
  return true;
}
