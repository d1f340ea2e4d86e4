import { ClipfleetError } from '../../shared/errors.ts';
import { readBmp } from './bmpFacts.ts';
import { readGif } from './gifFacts.ts';
import { explainHeif, readHeif } from './heifFacts.ts';
import { BrokenImage, type ImageFacts } from './imageFacts.ts';
import { type ImageFormat, identify, imageFormats } from './imageFormat.ts';
import { explainJpeg, readJpeg } from './jpegFacts.ts';
import { explainPng, readPng } from './pngFacts.ts';
import { explainTiff, readTiff } from './tiffFacts.ts';
import { explainWebp, readWebp } from './webpFacts.ts';

interface Format {
  read(bytes: Uint8Array): ImageFacts;
  explain(bytes: Uint8Array): string;
}

const contradiction = () => 'its compressed data contradict its header';

const formats: Record<ImageFormat, Format> = {
  JPEG: { read: readJpeg, explain: explainJpeg },
  PNG: { read: readPng, explain: explainPng },
  WebP: { read: readWebp, explain: explainWebp },
  GIF: { read: readGif, explain: contradiction },
  TIFF: { read: readTiff, explain: explainTiff },
  AVIF: { read: (bytes) => readHeif(bytes, 'AVIF'), explain: explainHeif },
  HEIC: { read: (bytes) => readHeif(bytes, 'HEIC'), explain: explainHeif },
  BMP: { read: readBmp, explain: contradiction },
};

/**
 * What an image file is, from its own bytes; nothing is decoded.
 *
 * @throws {ClipfleetError} IMAGE_EMPTY; IMAGE_UNSUPPORTED, naming the format or the feature that is not read; IMAGE_CORRUPT
 * where the header breaks off or contradicts itself
 */
export function inspectImage(bytes: Uint8Array): ImageFacts {
  if (bytes.length === 0) throw new ClipfleetError('IMAGE_EMPTY', 'Expected an image, got zero bytes.');
  const identity = identify(bytes);
  if ('foreign' in identity) throw unsupported(describe(identity.foreign, bytes));
  const { format } = identity;
  const facts = orCorrupt(format, bytes, () => formats[format].read(bytes));
  if (facts.unsupported) throw unsupported(facts.unsupported);
  if (facts.width === 0 || facts.height === 0) {
    throw corrupt(format, `its header says ${facts.width} × ${facts.height} pixels`);
  }
  return facts;
}

/** The error of an image whose decoder gave up; the reason is looked for in the file, for the decoder's words may be of another one. */
export function decoderGaveUp({ format }: ImageFacts, bytes: Uint8Array, cause: unknown): ClipfleetError {
  if (cause instanceof BrokenImage) return corrupt(format, cause.message, cause);
  return corrupt(
    format,
    orCorrupt(format, bytes, () => formats[format].explain(bytes)),
    cause,
  );
}

function orCorrupt<T>(format: ImageFormat, bytes: Uint8Array, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof BrokenImage) throw corrupt(format, error.message, error);
    if (error instanceof RangeError) {
      throw corrupt(format, `its header goes past the end of the file's ${bytes.length} bytes`, error);
    }
    throw error;
  }
}

function corrupt(format: ImageFormat, reason: string, cause?: unknown): ClipfleetError {
  const remedy = 'get the file anew, or accept truncated images';
  return new ClipfleetError('IMAGE_CORRUPT', `Expected a whole ${format}, but ${reason}; ${remedy}.`, {
    cause,
  });
}

function unsupported(what: string): ClipfleetError {
  return new ClipfleetError(
    'IMAGE_UNSUPPORTED',
    `Expected one of ${imageFormats.join(', ')}, got ${what}; convert it.`,
  );
}

function describe(name: string, bytes: Uint8Array): string {
  if (name !== 'unknown') return `${name}, which is not read`;
  return `a file that begins with ${Buffer.from(bytes.subarray(0, 8)).toString('hex')}`;
}
