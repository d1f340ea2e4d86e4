/** How an image is to be turned, as Exif counts (CIPA DC-008, 4.6.4): 1 is as it is. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

const ORIENTATION_TAG = 0x0112;
const [BYTE, SHORT, LONG] = [1, 3, 4];
const XMP_ORIENTATION = /tiff:Orientation(?:="|>)([0-9])/;

/** Where a file may say how it is turned. */
export interface OrientationSources {
  /** A TIFF structure, `Exif\0\0` before it or not. */
  exif?: Uint8Array | undefined;
  /** A packet of XMP, a character for each byte. */
  xmp?: string | undefined;
}

/**
 * The orientation that Pillow's `exif_transpose` applies: Exif's, and XMP's where Exif has none. A value that means nothing
 * turns nothing. Source: `Image.getexif` of Pillow 13.0.0.
 */
export function orientationOf({ exif, xmp }: OrientationSources): Orientation {
  return asOrientation(exifOrientation(exif) ?? Number(xmp && XMP_ORIENTATION.exec(xmp)?.[1]));
}

/** What Exif says, sense or nonsense; undefined where it says nothing. */
export function exifOrientation(exif: Uint8Array | undefined): number | undefined {
  return exif && orientationOfTiff(withoutPrefix(exif));
}

export function asOrientation(value: number): Orientation {
  return Number.isInteger(value) && value >= 1 && value <= 8 ? (value as Orientation) : 1;
}

function withoutPrefix(exif: Uint8Array): Uint8Array {
  let start = 0;
  while (Buffer.from(exif.subarray(start, start + 6)).toString('latin1') === 'Exif\0\0') start += 6;
  return exif.subarray(start);
}

/** The tag in the first directory of a TIFF structure; undefined where there is none or the structure breaks off. */
function orientationOfTiff(tiff: Uint8Array): number | undefined {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  try {
    const order = view.getUint16(0);
    const little = order === 0x4949;
    if (!little && order !== 0x4d4d) return undefined;
    const directory = view.getUint32(4, little);
    const entries = view.getUint16(directory, little);
    for (let entry = directory + 2; entry < directory + 2 + 12 * entries; entry += 12) {
      if (view.getUint16(entry, little) === ORIENTATION_TAG) return wholeNumber(view, entry, little);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return undefined;
}

/** A whole number alone; anything else turns nothing, and keeps XMP from being asked. */
function wholeNumber(view: DataView, entry: number, little: boolean): number {
  const [type, count] = [view.getUint16(entry + 2, little), view.getUint32(entry + 4, little)];
  if (count !== 1) return 1;
  if (type === BYTE) return view.getUint8(entry + 8);
  if (type === SHORT) return view.getUint16(entry + 8, little);
  return type === LONG ? view.getUint32(entry + 8, little) : 1;
}
