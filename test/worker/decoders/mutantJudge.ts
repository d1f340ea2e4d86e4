import { bounds, type Mutant } from './mutants.ts';

/** What a mutant may come to: `decoded`, or codes. */
export type Verdicts = Set<string>;

interface Sight {
  width: number;
  height: number;
  /** Whether the header holds a value that its seed did not have where the format has variants that are not read. */
  isOdd: boolean;
}

/** The longest tail that a file may lose without losing pixels: an end chunk, a trailer, padding. */
const TAIL_BYTES = 12;

/**
 * What is right for a mutant, from its bytes and its seed alone. It reads as little as decides the matter, by another way than
 * the code under test: a magic, a size at its place, and whether fields differ from the seed's.
 */
export function judge({ seed, change, bytes }: Mutant, whole: Buffer): Verdicts {
  if (bytes.length === 0) return new Set(['IMAGE_EMPTY']);
  const format = formatOf(bytes);
  if (format === undefined) return new Set(['IMAGE_UNSUPPORTED']);
  const lost = whole.length - bytes.length;
  if (change === 'cut' && lost > TAIL_BYTES) return new Set(['IMAGE_CORRUPT']);
  // A header of another format over this one's bytes.
  if (format !== formatOf(whole))
    return new Set(['IMAGE_CORRUPT', 'IMAGE_UNSUPPORTED', ...bounded(undefined)]);
  const sight = look(seed, bytes, whole);
  const verdicts: Verdicts = new Set(beyond(sight) ?? ['decoded', 'IMAGE_CORRUPT']);
  if (sight === undefined) verdicts.add('IMAGE_CORRUPT');
  if (sight === undefined || sight.isOdd) verdicts.add('IMAGE_UNSUPPORTED');
  return verdicts;
}

function bounded(sight: Sight | undefined): string[] {
  return beyond(sight) ?? ['IMAGE_SIDE_TOO_LONG', 'IMAGE_TOO_MANY_PIXELS'];
}

/** The code of the bound that a size breaks; both where the size is not known. */
function beyond(sight: Sight | undefined): string[] | undefined {
  if (sight === undefined)
    return ['decoded', 'IMAGE_SIDE_TOO_LONG', 'IMAGE_TOO_MANY_PIXELS', 'IMAGE_CORRUPT'];
  if (sight.width === 0 || sight.height === 0) return ['IMAGE_CORRUPT'];
  if (Math.max(sight.width, sight.height) > bounds.sideMax) return ['IMAGE_SIDE_TOO_LONG'];
  if (sight.width * sight.height > bounds.pixelsMax) return ['IMAGE_TOO_MANY_PIXELS'];
  return undefined;
}

function formatOf(bytes: Buffer): string | undefined {
  const head = bytes.toString('latin1', 0, 16);
  if (head.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (head.startsWith('\x89PNG')) return 'png';
  if (head.startsWith('GIF87a') || head.startsWith('GIF89a')) return 'gif';
  if (['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].some((magic) => head.startsWith(magic))) return 'tiff';
  if (head.startsWith('WEBP', 8)) return 'webp';
  if (!head.startsWith('ftyp', 4)) return undefined;
  const brands = bytes.toString('latin1', 8, Math.min(bytes.readUInt16BE(2), 256));
  return /avif|avis/.test(brands) ? 'avif' : undefined;
}

/** Undefined where the place of the size has moved, so that nothing is certain but that bounds hold. */
function look(seed: string, bytes: Buffer, whole: Buffer): Sight | undefined {
  const same = (from: number, to: number) =>
    bytes.length >= to && bytes.subarray(from, to).equals(whole.subarray(from, to));
  if (seed === 'png') {
    if (!same(0, 16) || bytes.length < 24) return undefined;
    return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20), isOdd: false };
  }
  if (seed === 'jpeg' || seed === 'progressive') {
    const frame = Math.max(whole.indexOf(Buffer.of(0xff, 0xc0)), whole.indexOf(Buffer.of(0xff, 0xc2)));
    if (!same(0, frame + 2) || bytes.length < frame + 10) return undefined;
    const [height, width] = [bytes.readUInt16BE(frame + 5), bytes.readUInt16BE(frame + 7)];
    return { width, height, isOdd: bytes[frame + 4] !== 8 || bytes[frame + 9] !== 3 };
  }
  if (seed === 'gif') return lookAtGif(bytes, whole);
  // Of these only that the header is the seed's, and so is the size.
  const headerEnds = { webp: 32, lossless: 32, avif: whole.indexOf('mdat'), tiff: 0 }[seed];
  if (headerEnds !== undefined && headerEnds > 0 && same(0, headerEnds)) {
    return { width: 1, height: 1, isOdd: false };
  }
  const directory = whole.readUInt32LE(4);
  return seed === 'tiff' && same(0, 8) && bytes.subarray(directory).equals(whole.subarray(directory))
    ? { width: 1, height: 1, isOdd: false }
    : undefined;
}

/** The canvas, or more where the first frame goes past it. */
function lookAtGif(bytes: Buffer, whole: Buffer): Sight | undefined {
  const frame = whole.indexOf(Buffer.of(0x2c, 0, 0, 0, 0));
  const isWhereItWas =
    bytes.length > frame + 10 && bytes.subarray(10, frame + 1).equals(whole.subarray(10, frame + 1));
  if (!isWhereItWas) return undefined;
  const far = (at: number) => bytes.readUInt16LE(frame + at) + bytes.readUInt16LE(frame + at + 4);
  const [width, height] = [Math.max(bytes.readUInt16LE(6), far(1)), Math.max(bytes.readUInt16LE(8), far(3))];
  return { width, height, isOdd: false };
}
