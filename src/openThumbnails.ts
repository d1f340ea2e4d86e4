import { asClipfleetError } from './shared/errors.ts';
import type { Config } from './shared/options/config.ts';
import type { ImageRef } from './shared/refs/imageRef.ts';
import { webpOf } from './worker/decode/libvipsPixels.ts';
import { openDecoders, pixelsOf } from './worker/decoders/decoders.ts';
import { createFetcher } from './worker/fetch/fetch.ts';
import { PREPROCESSING_VERSION, type Preprocessing } from './worker/resize/preprocessing.ts';

/** The settings of small pictures: how images are read and within what limits. */
export const thumbnailOptions = [
  'imageBytesMax',
  'imagePixelsMax',
  'imageSideMax',
  'imageScansMax',
  'decodeTimeoutMs',
  'decodeMemoryMax',
  'fetchTimeoutMs',
  'redirectsMax',
  'allowPrivateAddresses',
  'userAgent',
] as const;

export interface Thumbnails {
  /** A square of the middle of an image as WebP, or the code of why it cannot be read. Rejects with SESSION_LOST, and the signal's reason. */
  thumbnailOf(ref: ImageRef, signal?: AbortSignal): Promise<{ webp: Uint8Array } | { isNone: string }>;
  close(): Promise<void>;
}

/** Pixels of a side. */
const SIDE = 160;
const QUALITY = 65;
/** Pictures are few, and other work may be going on. */
const DECODERS = 2;

const preprocessing: Preprocessing = {
  version: PREPROCESSING_VERSION,
  resize: { shortestEdge: SIDE },
  resample: 'bicubic',
  crop: { width: SIDE, height: SIDE },
  width: SIDE,
  height: SIDE,
  rescaleFactor: 1,
  normalize: undefined,
};

/**
 * Small pictures for people, read and decoded as a worker does it: in processes of their own, within its limits.
 *
 * @param roots directories of named roots on this machine, by name. Paths are read wherever they lead: the pictures are for who runs the command.
 */
export function openThumbnails(
  roots: Map<string, string>,
  config: Config<(typeof thumbnailOptions)[number]>,
): Thumbnails {
  const { imageBytesMax: bytesMax, imagePixelsMax, imageSideMax, imageScansMax, ...limits } = config;
  const fetcher = createFetcher({
    bytesMax,
    timeoutMs: config.fetchTimeoutMs,
    redirectsMax: config.redirectsMax,
    allowPrivateAddresses: config.allowPrivateAddresses,
    userAgent: config.userAgent,
  });
  const decoders = openDecoders({
    preprocessing,
    decoding: { truncated: 'accept' },
    files: { roots, trustPaths: true, bytesMax },
    decoders: DECODERS,
    limits: { ...limits, pixelsMax: imagePixelsMax, sideMax: imageSideMax, scansMax: imageScansMax },
  });
  return {
    async thumbnailOf(ref, signal) {
      try {
        const source = await fetcher.fetchImage(ref, signal);
        return { webp: await webpOf(pixelsOf(await decoders.decode(source)), QUALITY) };
      } catch (error) {
        signal?.throwIfAborted();
        const { code } = asClipfleetError(error, 'INTERNAL');
        if (code === 'SESSION_LOST') throw error;
        return { isNone: code };
      }
    },
    async close() {
      await decoders.close();
      await fetcher.close();
    },
  };
}
