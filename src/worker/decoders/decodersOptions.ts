import { defaultOf } from '../../shared/options/config.ts';
import type { DecodeOptions } from '../decode/decode.ts';
import type { Preprocessing } from '../resize/preprocessing.ts';
import type { VectorCachePlace } from '../vectorCache/cachedVector.ts';
import type { DecodeRoom } from './decodeBacklog.ts';
import type { DecoderSetup } from './decoderMessages.ts';
import type { FileOptions } from './localFile.ts';

export interface DecodersOptions {
  preprocessing: Preprocessing;
  /** How files are decoded; the model says some of it. */
  decoding: Pick<DecodeOptions, 'truncated' | 'cropRounding' | 'exif'>;
  /** Which local files may be read. */
  files: FileOptions;
  /** Processes that decode at the same time. */
  decoders: number;
  limits?: ImageLimits;
  /** Where embeddings of files are cached: of an image that has one there are no pixels. */
  vectorCache?: VectorCachePlace | undefined;
  /** What each decoder runs; `decoderChild.ts` when absent. */
  program?: URL;
  /** Told when an image begins to be decoded; what it returns is called when that is done. */
  onBegin?: () => () => void;
  /** Told of each decoder that ended by itself, and whether it had an image. */
  onEnded?: (withImage: boolean) => void;
}

/** Each is that of the option table when absent. */
export interface ImageLimits {
  /** An image of more pixels, with a longer side or of more scans is refused before it is decoded. */
  pixelsMax?: number | undefined;
  sideMax?: number | undefined;
  scansMax?: number | undefined;
  /** Time until the bytes of a local file are there. */
  fetchTimeoutMs?: number | undefined;
  /** CPU time of one image, all threads of its decoder together. */
  decodeTimeoutMs?: number | undefined;
  /** Resident memory of one decoder, bytes. */
  decodeMemoryMax?: number | undefined;
  /** Pixels of large images decoded at the same time; by the number of decoders when absent. */
  pixelsAtOnce?: number | undefined;
}

/** An image of at most as many pixels needs no room of its own: photographs of most cameras. */
const FREE_PIXELS_MAX = 16_000_000;
/** The longest that sharp takes for a limit of its own, seconds. */
const SHARP_TIMEOUT_MAX_MS = 3_600_000;

/** Pixels of large images decoded at the same time, where there are not more of those that need no room. */
const PIXELS_AT_ONCE = 100_000_000;

/** What each decoder is told at its start. */
export function setupOf({
  preprocessing,
  decoding,
  files,
  limits = {},
  vectorCache,
}: DecodersOptions): DecoderSetup {
  return {
    preprocessing,
    decoding: {
      ...decoding,
      pixelsMax: limits.pixelsMax ?? defaultOf('imagePixelsMax'),
      sideMax: limits.sideMax,
      scansMax: limits.scansMax,
      // Its own limit is time on the wall, which neighbours take from it. The decoder's watch counts CPU time.
      timeoutMs: SHARP_TIMEOUT_MAX_MS,
    },
    files: { ...files, roots: [...files.roots] },
    ...(vectorCache && { vectorCache }),
    limits: {
      cpuMs: limits.decodeTimeoutMs ?? defaultOf('decodeTimeoutMs'),
      readMs: limits.fetchTimeoutMs ?? defaultOf('fetchTimeoutMs'),
      memoryBytes: limits.decodeMemoryMax ?? defaultOf('decodeMemoryMax'),
    },
  };
}

/** How much is decoded at the same time. */
export function roomOf({ decoders, limits }: DecodersOptions): DecodeRoom {
  const pixels = limits?.pixelsAtOnce ?? Math.max(PIXELS_AT_ONCE, decoders * FREE_PIXELS_MAX);
  return { decoders, pixels, free: Math.min(FREE_PIXELS_MAX, Math.floor(pixels / decoders)) };
}
