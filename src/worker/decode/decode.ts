import { ClipfleetError } from '../../shared/errors.ts';
import { decoderGaveUp, inspectImage } from '../formats/inspectImage.ts';
import { resample } from '../resize/kernel.ts';
import type { Preprocessing } from '../resize/preprocessing.ts';
import { releaseMemory } from '../resize/releaseMemory.ts';
import type { RgbImage } from '../resize/resample.ts';
import { type CropRounding, planResize } from '../resize/resizeGeometry.ts';
import { decodeBmp } from './bmpImage.ts';
import { claimOf, type DecodeLimits, refuseBeyond } from './decodeLimits.ts';
import { decodeGif } from './gifImage.ts';
import { decodeHeic, heicTools } from './heicImage.ts';
import { HelperKilled, type HelperRoom } from './helperProgram.ts';
import { readByLibvips } from './libvipsPixels.ts';

/** RGB, 8 bits a channel, interleaved. `data` is a buffer of its own, which another thread may be given. */
export type Pixels = RgbImage;

export interface DecodeOptions extends DecodeLimits {
  /**
   * How long one image may be decoded, waiting for a thread not counted. libvips looks at the clock only between bands of its
   * output, so that a huge image overshoots: `pixelsMax` is what bounds it.
   */
  timeoutMs: number;
  /** `floor` as Hugging Face crops (default), `half-even` as OpenAI's own code does. */
  cropRounding?: CropRounding | undefined;
  /** `apply` turns the image as its Exif or XMP orientation says (default), as transformers' `load_image` does. */
  exif?: 'apply' | 'ignore' | undefined;
  /** `fail` gives IMAGE_CORRUPT (default), `accept` takes the rows that are there. */
  truncated?: 'fail' | 'accept' | undefined;
  /** Told, before any pixel is made, how many pixels' memory the image takes; throws where it may not be decoded now. */
  admit?: ((claim: number) => void) | undefined;
  /** For formats that a program decodes. */
  helper?: HelperRoom | undefined;
}

/**
 * An image file's bytes as pixels of the model's size, equal to what transformers' PIL backend makes of it after
 * `load_image`: `decodeWhole`, then Pillow's resize and the centre crop, to the bit.
 *
 * @throws {ClipfleetError} as `decodeWhole`
 */
export async function decodeImage(
  bytes: Uint8Array,
  preprocessing: Preprocessing,
  options: DecodeOptions,
): Promise<Pixels> {
  const whole = await decodeWhole(bytes, options);
  const plan = planResize(whole, preprocessing, options.cropRounding ?? 'floor');
  const pixels = resample(whole, plan, preprocessing.resample);
  releaseMemory(whole.data);
  return pixels;
}

/**
 * All pixels of an image file before anything is resized: orientation applied, first frame, ICC profile ignored, alpha
 * channel dropped (neither composited nor premultiplied), one transparent colour white. Their memory is their own.
 *
 * Every code and every reason comes from the file's own bytes. GIF and bitmaps are decoded on the caller's thread, the
 * others on libuv's.
 *
 * @throws {ClipfleetError} IMAGE_EMPTY, IMAGE_UNSUPPORTED, IMAGE_CORRUPT, IMAGE_TOO_MANY_PIXELS, IMAGE_SIDE_TOO_LONG,
 * IMAGE_TOO_MANY_SCANS, DECODE_TIMEOUT
 * @throws {HelperKilled} where a program that decodes died
 */
export async function decodeWhole(bytes: Uint8Array, options: DecodeOptions): Promise<RgbImage> {
  const facts = inspectImage(bytes);
  refuseBeyond(facts, options);
  options.admit?.(claimOf(facts));
  const { pixelsMax, timeoutMs, helper, truncated = 'fail', exif = 'apply' } = options;
  const begun = performance.now();
  try {
    if (facts.format === 'GIF') return decodeGif(bytes, truncated);
    if (facts.format === 'BMP') return decodeBmp(bytes, truncated);
    if (facts.format === 'HEIC') {
      // The PNG that a program may have made is turned already.
      const decodePng = (png: Uint8Array) => decodeWhole(png, { ...options, exif: 'ignore' });
      return await decodeHeic(bytes, heicTools({ decodePng, helper, timeoutMs }));
    }
    return await readByLibvips(bytes, facts, { pixelsMax, timeoutMs, truncated, exif });
  } catch (thrown) {
    if (thrown instanceof ClipfleetError || thrown instanceof HelperKilled) throw thrown;
    if (isTimeout(thrown, performance.now() - begun, timeoutMs)) throw tookTooLong(timeoutMs, thrown);
    throw decoderGaveUp(facts, bytes, thrown);
  }
}

/** By sharp's own word, and by the clock: the word alone may be about another image of the process. */
function isTimeout(thrown: unknown, tookMs: number, timeoutMs: number): boolean {
  return thrown instanceof Error && /^timeout:/i.test(thrown.message) && tookMs >= timeoutMs;
}

function tookTooLong(timeoutMs: number, cause: unknown): ClipfleetError {
  const says = `Expected pixels within ${timeoutMs} ms; shrink the image or raise --decode-timeout-ms.`;
  return new ClipfleetError('DECODE_TIMEOUT', says, { cause });
}
