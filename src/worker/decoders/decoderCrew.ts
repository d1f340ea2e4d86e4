import type { LocalFile } from '../../shared/refs/imageSource.ts';

/** One image on its way through the stage. */
export interface DecodeTask {
  id: number;
  urgent: boolean;
  digest: boolean;
  file: LocalFile | undefined;
  bytes: Uint8Array | undefined;
  /** Once a decoder has seen that it needs room. */
  pixels: number | undefined;
  /** Decoders that ended with it, and how the last one did. */
  deaths: number;
}

/** A decoder as the main thread knows it. */
export interface Decoder {
  number: number;
  state: 'starting' | 'ready' | 'gone';
  /** What it was given: the image in work, and one ahead. */
  line: DecodeTask[];
  /** When the first of the line had its turn, or since when there is none. */
  since: number;
  onEnd: () => void;
  /** The image that this decoder was started for, which is alone in it. */
  startedFor: DecodeTask | undefined;
}

/** An image in work for longer than this has nobody behind it: the next one is taken back. */
const AHEAD_MS = 100;
/** And for longer than this, its decoder does not count: others may work in its place. */
const SLOW_MS = 1_000;
/** One too many that had nothing to do for as long ends. Not at once: the next slow image would start another. */
const REST_MS = 10_000;

/** The decoders there are, and which of them takes an image. */
export interface DecoderCrew {
  add(startedFor?: DecodeTask): Decoder;
  remove(decoder: Decoder): void;
  /** One with nothing to do, when one more may work. */
  idle(): Decoder | undefined;
  /** One whose image will soon be done, to put another behind it. */
  soonIdle(): Decoder | undefined;
  /** Whether one more may be started for an image that waits. */
  hasPlace(): boolean;
  /** Those that were started for nobody and are not ready. */
  coming(): number;
  /** One too many that has rested for long. */
  rested(): Decoder | undefined;
  /** Whether any works, or there is one too many: whether time alone changes something. */
  isChanging(): boolean;
  /** Those with an image ahead that waits for too long. */
  stuck(): Decoder[];
  all(): IterableIterator<Decoder>;
}

/**
 * @param size decoders that decode at the same time, those with a slow image not counted; there are never more than twice
 *   as many
 * @param now a clock in milliseconds
 */
export function createDecoderCrew(size: number, now: () => number): DecoderCrew {
  const decoders = new Set<Decoder>();
  let nextNumber = 0;
  const isIdle = ({ state, startedFor, line }: Decoder) =>
    state === 'ready' && startedFor === undefined && line.length === 0;
  const age = ({ since }: Decoder) => now() - since;
  const isSlow = (decoder: Decoder) => decoder.line.length > 0 && age(decoder) >= SLOW_MS;
  /** For every image, so without an array. */
  function count(wanted: (decoder: Decoder) => boolean): number {
    let found = 0;
    for (const decoder of decoders) if (wanted(decoder)) found += 1;
    return found;
  }
  /** Those that work or are about to, and are not slow. */
  const counted = () => count((decoder) => !isIdle(decoder) && !isSlow(decoder));
  // The first that fits, so that those too many are the ones that rest.
  const find = (wanted: (decoder: Decoder) => boolean) => {
    for (const decoder of decoders) if (wanted(decoder)) return decoder;
    return undefined;
  };
  return {
    add(startedFor) {
      const number = nextNumber++;
      const decoder: Decoder = {
        number,
        state: 'starting',
        line: [],
        since: now(),
        onEnd: () => {},
        startedFor,
      };
      decoders.add(decoder);
      return decoder;
    },
    remove: (decoder) => void decoders.delete(decoder),
    idle: () => (counted() < size ? find(isIdle) : undefined),
    soonIdle() {
      // Where more work than should, each must come to have nothing to do.
      if (counted() > size) return undefined;
      return find(
        ({ state, startedFor, line, since }) =>
          state === 'ready' && startedFor === undefined && line.length === 1 && now() - since < AHEAD_MS,
      );
    },
    hasPlace: () => counted() < size && decoders.size < 2 * size,
    coming: () => count(({ state, startedFor }) => state === 'starting' && !startedFor),
    rested: () =>
      decoders.size > size ? find((decoder) => isIdle(decoder) && age(decoder) >= REST_MS) : undefined,
    isChanging: () => decoders.size > size || find(({ line }) => line.length > 0) !== undefined,
    stuck: () => [...decoders].filter((decoder) => decoder.line.length > 1 && age(decoder) >= AHEAD_MS),
    all: () => decoders.values(),
  };
}
