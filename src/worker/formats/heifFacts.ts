import { BrokenImage, FileView, type ImageFacts } from './imageFacts.ts';
import { boxAt, boxesIn, wholeFile } from './isoBoxes.ts';

/** The brand of an AVIF sequence, which libheif refuses where it stands first. */
const SEQUENCE_BRAND = 'avis';
const STILL_BRAND = 'avif';
const MAJOR_BRAND_AT = 8;

/**
 * Size of an AVIF's or HEIC's still image: the largest that its properties name, tiles and thumbnails being smaller. Its
 * decoder turns it itself, as `irot` and `imir` say.
 *
 * Boxes as in ISO/IEC 14496-12 and 23008-12.
 *
 * @throws {BrokenImage} where no size is named
 */
export function readHeif(bytes: Uint8Array, format: 'AVIF' | 'HEIC'): ImageFacts {
  const view = new FileView(bytes);
  const file = wholeFile(view);
  const facts = { format, width: 0, height: 0, orientation: 1 } as const;
  if (boxAt(view, file, 'meta') === undefined) {
    return { ...facts, unsupported: `an ${format} sequence without a still image` };
  }
  const properties = boxAt(view, file, 'meta', 'iprp', 'ipco');
  const sizes = (properties ? [...boxesIn(view, properties.start, properties.end)] : [])
    .filter(({ type }) => type === 'ispe')
    .map(({ start }) => ({ width: view.getUint32(start + 4), height: view.getUint32(start + 8) }));
  const [largest] = sizes.sort((a, b) => b.width * b.height - a.width * a.height);
  if (largest === undefined) throw new BrokenImage('it names no size');
  return { ...facts, ...largest };
}

/** Whether the file itself has its decoder turn or mirror it. */
export function isTurnedByItself(bytes: Uint8Array): boolean {
  const view = new FileView(bytes);
  const properties = boxAt(view, wholeFile(view), 'meta', 'iprp', 'ipco');
  const types = properties
    ? [...boxesIn(view, properties.start, properties.end)].map(({ type }) => type)
    : [];
  return types.includes('irot') || types.includes('imir');
}

/**
 * The same file with the brand of a still image first: of a sequence, the still image is its first frame.
 */
export function asStillAvif(bytes: Uint8Array): Uint8Array {
  const brand = Buffer.from(bytes.subarray(MAJOR_BRAND_AT, MAJOR_BRAND_AT + 4)).toString('latin1');
  if (brand !== SEQUENCE_BRAND) return bytes;
  const still = Buffer.from(bytes);
  still.write(STILL_BRAND, MAJOR_BRAND_AT, 'latin1');
  return still;
}

/** What is wrong with an AVIF or HEIC that its decoder gave up. */
export function explainHeif(bytes: Uint8Array): string {
  const view = new FileView(bytes);
  try {
    const types = [...boxesIn(view, 0, bytes.length)].map(({ type }) => type);
    return types.includes('mdat') || types.includes('idat')
      ? 'its compressed data contradict its header'
      : 'it holds no image data';
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return `it breaks off: one of its boxes goes past the end of the file's ${bytes.length} bytes`;
  }
}
