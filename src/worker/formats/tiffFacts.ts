import { BrokenImage, FileView, type ImageFacts, type Samples } from './imageFacts.ts';
import { asOrientation, orientationOf } from './orientation.ts';

/** Tags of TIFF 6.0 that say what the samples are. */
const TAG = {
  width: 256,
  height: 257,
  bits: 258,
  compression: 259,
  photometric: 262,
  stripOffsets: 273,
  orientation: 274,
  samplesPerPixel: 277,
  stripBytes: 279,
  tileOffsets: 324,
  tileBytes: 325,
  extraSamples: 338,
  sampleFormat: 339,
  xmp: 700,
};

const [WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR] = [0, 1, 2, 3, 5, 6];
const photometrics = new Map([
  [4, 'a transparency mask'],
  [8, 'CIELAB'],
  [9, 'ICCLAB'],
  [10, 'ITULAB'],
  [32803, 'raw data of a camera'],
  [32844, 'LogL'],
  [32845, 'LogLuv'],
  [34892, 'linear raw data of a camera'],
]);

const ASSOCIATED_ALPHA = 1;
const JPEG = 7;
/** None, CCITT, LZW, JPEG, deflate, PackBits: what the decoder here has. */
const READ_COMPRESSIONS = [1, 2, 3, 4, 5, JPEG, 8, 32946, 32773];
const compressions = new Map([
  [6, 'old-style JPEG'],
  [9, 'JBIG'],
  [34712, 'JPEG 2000'],
  [34887, 'LERC'],
  [34925, 'LZMA'],
  [50000, 'Zstandard'],
  [50001, 'WebP'],
  [50002, 'JPEG XL'],
]);

/** Bytes of a value by its type: BYTE, ASCII, SHORT, LONG, RATIONAL, then their signed kin, and BigTIFF's. */
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];
/** More values than these are not looked at: offsets of strips, which a check of a few thousand serves as well. */
const VALUES_MAX = 4096;

interface Field {
  type: number;
  count: number;
  at: number;
}

/** The first directory of a TIFF or BigTIFF file. */
class Directory {
  readonly fields = new Map<number, Field>();
  private readonly view: FileView;
  private readonly little: boolean;

  constructor(view: FileView) {
    this.view = view;
    this.little = view.getUint8(0) === 0x49;
    const isBig = view.getUint16(2, this.little) === 43;
    const start = isBig ? this.uint64(8) : view.getUint32(4, this.little);
    const entries = isBig ? this.uint64(start) : view.getUint16(start, this.little);
    const [head, entryBytes, wordBytes] = isBig ? [8, 20, 8] : [2, 12, 4];
    for (let i = 0; i < Math.min(entries, VALUES_MAX); i++) {
      const entry = start + head + i * entryBytes;
      const [tag, type] = [view.getUint16(entry, this.little), view.getUint16(entry + 2, this.little)];
      const count = isBig ? this.uint64(entry + 4) : view.getUint32(entry + 4, this.little);
      const valueAt = entry + 4 + wordBytes;
      const isInline = (TYPE_BYTES[type] ?? 0) * count <= wordBytes;
      const far = () => (isBig ? this.uint64(valueAt) : view.getUint32(valueAt, this.little));
      if (!this.fields.has(tag)) this.fields.set(tag, { type, count, at: isInline ? valueAt : far() });
    }
  }

  /** Whole numbers of a tag, none where it is absent. */
  values(tag: number): number[] {
    const { type, count, at } = this.fields.get(tag) ?? { type: 0, count: 0, at: 0 };
    const size = TYPE_BYTES[type] ?? 0;
    const read = {
      1: (where: number) => this.view.getUint8(where),
      2: (where: number) => this.view.getUint16(where, this.little),
      4: (where: number) => this.view.getUint32(where, this.little),
      8: (where: number) => this.uint64(where),
    }[size];
    return read ? Array.from({ length: Math.min(count, VALUES_MAX) }, (_, i) => read(at + i * size)) : [];
  }

  value(tag: number, otherwise: number): number {
    return this.values(tag)[0] ?? otherwise;
  }

  latin1(tag: number): string | undefined {
    const field = this.fields.get(tag);
    return field && field.at + field.count <= this.view.byteLength
      ? this.view.latin1(field.at, field.count)
      : undefined;
  }

  private uint64(at: number): number {
    return Number(this.view.getBigUint64(at, this.little));
  }
}

/**
 * Size, samples and orientation of a TIFF's first image.
 *
 * @throws {BrokenImage} where the directory says no size
 */
export function readTiff(bytes: Uint8Array): ImageFacts {
  const directory = new Directory(new FileView(bytes));
  const [width, height] = [directory.value(TAG.width, 0), directory.value(TAG.height, 0)];
  if (width === 0 || height === 0) throw new BrokenImage('its first directory says no size');
  const turned = directory.values(TAG.orientation)[0];
  const unsupported = unsupportedIn(directory);
  const samples = samplesIn(directory);
  return {
    format: 'TIFF',
    width,
    height,
    orientation:
      turned === undefined ? orientationOf({ xmp: directory.latin1(TAG.xmp) }) : asOrientation(turned),
    ...(samples && { samples }),
    ...(unsupported && { unsupported: `a TIFF of ${unsupported}` }),
  };
}

function samplesIn(directory: Directory): Samples | undefined {
  const photometric = directory.value(TAG.photometric, -1);
  if (photometric === CMYK) return 'CMYK';
  if (photometric === BLACK_IS_ZERO && directory.value(TAG.bits, 1) === 16) return 'grey of 16 bits';
  const isPremultiplied = photometric === RGB && directory.value(TAG.extraSamples, 0) === ASSOCIATED_ALPHA;
  return isPremultiplied && directory.value(TAG.bits, 1) === 8 ? 'premultiplied alpha' : undefined;
}

/** A copy that calls its alpha another sample, so that its decoder leaves the colours as they are stored. */
export function withStoredColours(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes);
  const directory = new Directory(new FileView(copy));
  const { at } = directory.fields.get(TAG.extraSamples)!;
  copy.fill(0, at, at + 2);
  return copy;
}

/** What the decoder here, or Pillow, does not read, or not to the same pixels. */
function unsupportedIn(directory: Directory): string | undefined {
  const photometric = directory.value(TAG.photometric, -1);
  const compression = directory.value(TAG.compression, 1);
  const bits = directory.value(TAG.bits, 1);
  const format = directory.value(TAG.sampleFormat, 1);
  if (!READ_COMPRESSIONS.includes(compression)) {
    return `compression ${compressions.get(compression) ?? compression}`;
  }
  if (![WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR].includes(photometric)) {
    return `photometric interpretation ${photometrics.get(photometric) ?? photometric}`;
  }
  if (photometric === YCBCR && compression !== JPEG) return 'YCbCr without JPEG compression';
  if (format !== 1) return `sample format ${['', '', 'signed', 'floating point'][format] ?? format}`;
  const isOdd16 = bits === 16 && ![BLACK_IS_ZERO, RGB].includes(photometric);
  if (![1, 2, 4, 8, 16].includes(bits) || isOdd16) return `${bits} bits a sample`;
  const channels = directory.value(TAG.samplesPerPixel, 1);
  if (channels > 5) return `${channels} channels`;
  return undefined;
}

/** What is wrong with a TIFF that its decoder gave up. */
export function explainTiff(bytes: Uint8Array): string {
  const directory = new Directory(new FileView(bytes));
  for (const [offsets, counts] of [
    [TAG.stripOffsets, TAG.stripBytes],
    [TAG.tileOffsets, TAG.tileBytes],
  ] as const) {
    const lengths = directory.values(counts);
    const end = Math.max(0, ...directory.values(offsets).map((at, i) => at + (lengths[i] ?? 0)));
    if (end > bytes.length) return `its image data end at byte ${end}, the file at ${bytes.length}`;
  }
  return 'its compressed data contradict its directory';
}
