import sharp, { type Metadata, type Sharp } from 'sharp';
import { ClipfleetError } from '../../shared/errors.ts';
import { colourKey } from './colourKey.ts';
import { cmykToRgb, deepToRgb, grey16ToRgb, keyedToRgb } from './convertRgb.ts';
import { resample } from './kernel.ts';
import { asImageError } from './imageError.ts';
import { plainJpegSize } from './jpegHeader.ts';
import type { Preprocessing, Resample, Size } from './preprocessing.ts';
import type { RgbImage } from './resample.ts';
import { type CropRounding, planResize, type ResizePlan } from './resizeGeometry.ts';

/** RGB, 8 bits a channel, interleaved. `data` may be memory of the decoder: what goes to another thread must be a copy. */
export type Pixels = RgbImage;

export interface DecodeOptions {
  /** An image of more pixels is refused before it is decoded. */
  pixelsMax: number;
  /**
   * How long one pass over an image may compute, waiting for a thread not counted; rounded up to whole seconds. libvips
   * looks at the clock only between bands of its output, so that a huge image overshoots: `pixelsMax` is what bounds it.
   */
  timeoutMs: number;
  /** `floor` as Hugging Face crops (default), `half-even` as OpenAI's own code does. */
  cropRounding?: CropRounding;
  /** `apply` turns the image as its EXIF orientation says (default), as transformers' `load_image` does. */
  exif?: 'apply' | 'ignore';
  /** `fail` gives IMAGE_CORRUPT (default), `accept` takes the rows that are there. */
  truncated?: 'fail' | 'accept';
}

// libvips reads more formats than is wise with files of strangers (SVG, for one, may be a program): these six only.
const loaders = ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff', 'Heif'].map((name) => `VipsForeignLoad${name}`);
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: loaders });
// Every file is another one, so a cache of operations would only hold memory; images, not strips, are what runs at once.
sharp.cache(false);
sharp.concurrency(1);

/** Pillow's filters that libvips has too, when it shrinks. */
const kernels: Partial<Record<Resample, 'cubic' | 'linear' | 'lanczos3'>> = {
  bicubic: 'cubic',
  bilinear: 'linear',
  lanczos: 'lanczos3',
};

/**
 * An image file's bytes as pixels of the model's size, equal to what transformers' PIL backend makes of it after
 * `load_image`: EXIF orientation applied, first frame, ICC profile ignored, alpha channel dropped (neither composited
 * nor premultiplied), one transparent colour white, resized, centre cropped.
 *
 * Runs on libuv's threads and may be called any number of times at once.
 * Throws IMAGE_EMPTY, IMAGE_UNSUPPORTED, IMAGE_CORRUPT, IMAGE_TOO_MANY_PIXELS, DECODE_TIMEOUT.
 */
export async function decodeImage(
  bytes: Uint8Array,
  preprocessing: Preprocessing,
  options: DecodeOptions,
): Promise<Pixels> {
  if (bytes.length === 0) throw new ClipfleetError('IMAGE_EMPTY', 'Expected an image, got zero bytes.');
  try {
    const image = open(bytes, options);
    const kernel = kernels[preprocessing.resample];
    const planOf = (source: Size) => planResize(source, preprocessing, options.cropRounding ?? 'floor');
    const inOnePass = (source: Size, plan = planOf(source)) =>
      kernel && fits(plan.size, source) && readRgb(shrink(whole(image, source), plan.size, kernel, plan));

    const plainSize = plainJpegSize(bytes);
    const plainPixels = plainSize && (await inOnePass(plainSize));
    if (plainPixels) return plainPixels;
    const header = await image.metadata();
    const source = options.exif === 'ignore' ? header : header.autoOrient;
    const pixels = isPlain(header) && (await inOnePass(source));
    if (pixels) return pixels;
    const plan = planOf(source);
    const shrinks = fits(plan.size, source);

    const flat = await flatten(bytes, image, header);
    if (!kernel) return resample(flat, plan, preprocessing.resample);
    if (shrinks) return await readRgb(shrink(reopen(flat, options), plan.size, kernel, plan));
    return resample(await shrinkLongAxis(flat, plan.size, kernel, options), plan, preprocessing.resample);
  } catch (thrown) {
    throw asImageError(thrown, options);
  }
}

function open(bytes: Uint8Array, options: DecodeOptions): Sharp {
  const image = sharp(bytes, {
    failOn: options.truncated === 'accept' ? 'none' : 'error',
    limitInputPixels: options.pixelsMax,
    sequentialRead: true,
    ignoreIcc: true,
    animated: false,
    autoOrient: options.exif !== 'ignore',
  });
  return image.timeout({ seconds: Math.ceil(options.timeoutMs / 1000) });
}

function reopen({ data, width, height }: RgbImage, options: DecodeOptions): Sharp {
  const image = sharp(data, { raw: { width, height, channels: 3 }, limitInputPixels: options.pixelsMax });
  return image.timeout({ seconds: Math.ceil(options.timeoutMs / 1000) });
}

/** Whether nothing has to be enlarged. */
function fits(size: Size, source: Size): boolean {
  return size.width <= source.width && size.height <= source.height;
}

/** Whether the file holds 8-bit grey or RGB without alpha, which one pass of libvips treats as Pillow does. */
function isPlain({ depth, space, hasAlpha }: Metadata): boolean {
  return depth === 'uchar' && !hasAlpha && (space === 'srgb' || space === 'b-w');
}

/**
 * JPEG's shrink-on-load is faster, by how much is in docs/parity.md, and drifts farther from the reference.
 * `fastShrinkOnLoad` alone does not switch it off: from a factor of 4 sharp halves the image while decoding all the same,
 * unless a region is taken first. So the region is all of it.
 */
function whole(image: Sharp, { width, height }: Size): Sharp {
  return image.extract({ left: 0, top: 0, width, height });
}

function shrink(image: Sharp, size: Size, kernel: 'cubic' | 'linear' | 'lanczos3', plan?: ResizePlan): Sharp {
  const resized = image.resize(size.width, size.height, { fit: 'fill', kernel, fastShrinkOnLoad: false });
  return plan ? resized.extract(plan.window) : resized;
}

/** Where one axis grows and the other shrinks (an exact size): libvips does the long one, off this thread. */
async function shrinkLongAxis(
  image: RgbImage,
  size: Size,
  kernel: 'cubic' | 'linear' | 'lanczos3',
  options: DecodeOptions,
): Promise<RgbImage> {
  const least = { width: Math.min(image.width, size.width), height: Math.min(image.height, size.height) };
  if (least.width === image.width && least.height === image.height) return image;
  return await readRgb(shrink(reopen(image, options), least, kernel));
}

/** The whole image as Pillow's `convert('RGB')` gives it, in a pass of its own: alpha must be gone before resizing. */
async function flatten(bytes: Uint8Array, image: Sharp, header: Metadata): Promise<RgbImage> {
  const { space, channels, format, bitsPerSample } = header;
  if (space === 'cmyk' && channels === 4)
    return await readAs(image.pipelineColourspace('cmyk'), 'cmyk', cmykToRgb);
  if (space === 'grey16' && channels === 1) {
    return await readAs(image, 'grey16', (data) => grey16ToRgb(words(data)));
  }
  if (space === 'rgb16' && format === 'heif') {
    return await readAs(image.removeAlpha(), 'rgb16', (data) => deepToRgb(words(data), bitsPerSample ?? 16));
  }
  const key = header.hasAlpha ? colourKey(bytes) : undefined;
  if (key) return await readAs(image, 'srgb', (data) => keyedToRgb(data, key));
  return await readRgb(image.removeAlpha());
}

/** Raw samples of a colourspace (16 bits wide in those that end so), then our own way from them to RGB. */
async function readAs(image: Sharp, space: string, toRgb: (raw: Buffer) => Uint8Array): Promise<RgbImage> {
  const depth = space.endsWith('16') ? 'ushort' : 'uchar';
  const { data, info } = await image
    .toColourspace(space)
    .raw({ depth })
    .toBuffer({ resolveWithObject: true });
  const rgb = toRgb(data);
  if (rgb.length !== info.width * info.height * 3) throw oddChannels(info.channels);
  return { data: rgb, width: info.width, height: info.height };
}

/** A view needs an even offset, which a Buffer does not promise. */
function words(data: Buffer): Uint16Array {
  return new Uint16Array(new Uint8Array(data).buffer);
}

async function readRgb(image: Sharp): Promise<RgbImage> {
  return await readAs(image, 'srgb', (data) => data);
}

function oddChannels(channels: number): ClipfleetError {
  return new ClipfleetError(
    'IMAGE_UNSUPPORTED',
    `Expected an RGB, CMYK or grey image, got ${channels} channels.`,
  );
}
