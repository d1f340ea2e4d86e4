import sharp, { type Sharp } from 'sharp';
import { colourKey } from '../formats/colourKey.ts';
import { asStillAvif, isTurnedByItself } from '../formats/heifFacts.ts';
import { BrokenImage, type ImageFacts } from '../formats/imageFacts.ts';
import { exifOrientation, type Orientation, orientationOf } from '../formats/orientation.ts';
import { withStoredColours } from '../formats/tiffFacts.ts';
import { releaseMemory } from '../resize/releaseMemory.ts';
import type { RgbImage } from '../resize/resample.ts';
import { cmykToRgb, deepToRgb, grey16ToRgb, paintKeyWhite, unpremultipliedToRgb } from './convertRgb.ts';

// libvips reads more formats than is wise with files of strangers (SVG, for one, may be a program): these only.
const loaders = ['Jpeg', 'Png', 'Webp', 'Tiff', 'Heif'].map((name) => `VipsForeignLoad${name}`);
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: loaders });
// Every file is another one, so a cache of operations would only hold memory; images, not strips, are what runs at once.
sharp.cache(false);
sharp.concurrency(1);

export interface ReadLimits {
  pixelsMax: number;
  /** How long the decoder may compute; rounded up to whole seconds. It looks at the clock only between bands of its output. */
  timeoutMs: number;
  truncated: 'fail' | 'accept';
  exif: 'apply' | 'ignore';
}

/**
 * All pixels of a JPEG, PNG, WebP, TIFF or AVIF as Pillow's `convert('RGB')` gives them, on libuv's threads. libvips decodes; where it
 * goes another way than Pillow from samples to RGB, it hands over the samples.
 *
 * @throws what sharp throws, whose words are not to be trusted: libvips has one buffer of errors for the whole process
 */
export async function readByLibvips(
  bytes: Uint8Array,
  facts: ImageFacts,
  limits: ReadLimits,
): Promise<RgbImage> {
  if (facts.format === 'AVIF') return await readAvif(bytes, limits);
  const orientation = limits.exif === 'ignore' ? 1 : facts.orientation;
  if (facts.samples === 'premultiplied alpha') {
    const stored = turn(open(withStoredColours(bytes), limits), orientation);
    return await readAs(stored, 'srgb', 4, unpremultipliedToRgb);
  }
  const opaque = turn(open(bytes, limits), orientation).removeAlpha();
  if (facts.samples === 'CMYK') return await readAs(opaque.pipelineColourspace('cmyk'), 'cmyk', 4, cmykToRgb);
  if (facts.samples === 'grey of 16 bits') {
    return await readAs(opaque, 'grey16', 1, (data) => grey16ToRgb(words(data)));
  }
  const rgb = await readAs(opaque, 'srgb', 3, (data) => data);
  const key = facts.format === 'PNG' ? colourKey(bytes) : undefined;
  if (key) paintKeyWhite(rgb.data, key);
  return rgb;
}

/** libheif turns an AVIF as `irot` and `imir` say. For Pillow these override Exif, and where none of them says a word XMP counts. */
async function readAvif(bytes: Uint8Array, limits: ReadLimits): Promise<RgbImage> {
  const image = open(asStillAvif(bytes), limits);
  const { depth, bitsPerSample = 16, exif, xmpAsString: xmp } = await image.metadata();
  const isSaid = isTurnedByItself(bytes) || exifOrientation(exif) !== undefined || limits.exif === 'ignore';
  const opaque = turn(image, isSaid ? 1 : orientationOf({ xmp })).removeAlpha();
  if (depth === 'ushort') {
    return await readAs(opaque, 'rgb16', 3, (data) => deepToRgb(words(data), bitsPerSample));
  }
  return await readAs(opaque, 'srgb', 3, (data) => data);
}

/** An image as WebP, for people to look at. @param quality 1 to 100 */
export async function webpOf({ data, width, height }: RgbImage, quality: number): Promise<Uint8Array> {
  return sharp(data, { raw: { width, height, channels: 3 } })
    .webp({ quality })
    .toBuffer();
}

function open(bytes: Uint8Array, { truncated, pixelsMax, timeoutMs }: ReadLimits): Sharp {
  const image = sharp(bytes, {
    failOn: truncated === 'accept' ? 'none' : 'error',
    limitInputPixels: pixelsMax,
    sequentialRead: true,
    ignoreIcc: true,
    animated: false,
    autoOrient: false,
  });
  return image.timeout({ seconds: Math.ceil(timeoutMs / 1000) });
}

/** sharp mirrors first and rotates then. */
function turn(image: Sharp, orientation: Orientation): Sharp {
  if (orientation === 2) return image.flop();
  if (orientation === 3) return image.rotate(180);
  if (orientation === 4) return image.flip();
  if (orientation === 5) return image.rotate(270).flop();
  if (orientation === 6) return image.rotate(90);
  if (orientation === 7) return image.rotate(90).flop();
  return orientation === 8 ? image.rotate(270) : image;
}

/** Raw samples of a colourspace (16 bits wide in those that end so), then our own way from them to RGB. */
async function readAs(
  image: Sharp,
  space: string,
  channels: number,
  toRgb: (raw: Buffer) => Uint8Array,
): Promise<RgbImage> {
  const depth = space.endsWith('16') ? 'ushort' : 'uchar';
  const { data, info } = await image
    .toColourspace(space)
    .raw({ depth })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== channels) {
    throw new BrokenImage(`its pixels have ${info.channels} channels where its header says ${channels}`);
  }
  const rgb = toRgb(data);
  if (rgb !== data) releaseMemory(data);
  return { data: rgb, width: info.width, height: info.height };
}

/** A view needs an even offset, which a Buffer does not promise. */
function words(data: Buffer): Uint16Array {
  return new Uint16Array(new Uint8Array(data).buffer);
}
