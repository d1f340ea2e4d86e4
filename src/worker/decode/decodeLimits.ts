import { ClipfleetError } from '../../shared/errors.ts';
import { defaultOf } from '../../shared/options/config.ts';
import type { ImageFacts } from '../formats/imageFacts.ts';

/** What bounds the decoding of one image. */
export interface DecodeLimits {
  /** An image of more pixels is refused before it is decoded. */
  pixelsMax: number;
  /** An image with a longer side is refused; by default what the option table says. */
  sideMax?: number | undefined;
  /** A JPEG of more scans is refused; by default what the option table says. */
  scansMax?: number | undefined;
}

const sideMaxByDefault = defaultOf('imageSideMax');
const scansMaxByDefault = defaultOf('imageScansMax');

/**
 * @throws {ClipfleetError} IMAGE_SIDE_TOO_LONG, IMAGE_TOO_MANY_PIXELS, IMAGE_TOO_MANY_SCANS
 */
export function refuseBeyond(facts: ImageFacts, limits: DecodeLimits): void {
  const { width, height, scans = 1 } = facts;
  const { pixelsMax, sideMax = sideMaxByDefault, scansMax = scansMaxByDefault } = limits;
  const refuse = (
    code: 'IMAGE_SIDE_TOO_LONG' | 'IMAGE_TOO_MANY_PIXELS' | 'IMAGE_TOO_MANY_SCANS',
    expected: string,
    remedy: string,
  ) => new ClipfleetError(code, `Expected at most ${expected}; ${remedy}.`);
  if (Math.max(width, height) > sideMax) {
    throw refuse(
      'IMAGE_SIDE_TOO_LONG',
      `${sideMax} pixels a side, got ${width} × ${height}`,
      'shrink it or raise --image-side-max',
    );
  }
  if (width * height > pixelsMax) {
    throw refuse(
      'IMAGE_TOO_MANY_PIXELS',
      `${pixelsMax} pixels, got ${width} × ${height}`,
      'shrink it or raise --image-pixels-max',
    );
  }
  if (scans > scansMax) {
    throw refuse(
      'IMAGE_TOO_MANY_SCANS',
      `${scansMax} scans of a JPEG, got ${scans}`,
      'save it anew or raise --image-scans-max',
    );
  }
}

/** Bytes of a pixel that is decoded. */
const RGB_BYTES = 3;

/** Pixels whose memory an image takes: its own, and as many more as what its decoder holds beside them. */
export function claimOf({ width, height, coefficientBytes = 0 }: ImageFacts): number {
  return width * height + Math.ceil(coefficientBytes / RGB_BYTES);
}
