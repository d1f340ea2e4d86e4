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
  /** When the first of the line had its turn. */
  begunAt: number;
  onEnd: () => void;
  /** The image that this decoder was started for, which is alone in it. */
  startedFor: DecodeTask | undefined;
}

/** An image in work for longer than this has nobody behind it: the next one is taken back. */
const AHEAD_MS = 100;
/** And for longer than this, its decoder does not count: others may be started in its place. */
const SLOW_MS = 1_000;

/** The decoders there are, and which of them takes an image. */
export interface DecoderCrew {
  add(startedFor?: DecodeTask): Decoder;
  remove(decoder: Decoder): void;
  /** One with nothing to do. */
  idle(): Decoder | undefined;
  /** One whose image will soon be done, to put another behind it. */
  soonIdle(): Decoder | undefined;
  /** Whether one more may be started for an image that waits. */
  hasPlace(): boolean;
  /** The same for an image that is to be alone: another gives way to it soon. */
  hasPlaceAlone(): boolean;
  /** Those that were started for nobody and are not ready. */
  coming(): number;
  /** Whether there are more than there should be, because some were slow. */
  isTooMany(): boolean;
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
  const takesMore = ({ state, startedFor }: Decoder) => state === 'ready' && startedFor === undefined;
  const age = (decoder: Decoder) => (decoder.line.length > 0 ? now() - decoder.begunAt : 0);
  const counted = () => [...decoders].filter((decoder) => age(decoder) < SLOW_MS).length;
  const find = (wanted: (decoder: Decoder) => boolean) => {
    for (const decoder of decoders) if (wanted(decoder)) return decoder;
    return undefined;
  };
  const idle = () => find((decoder) => takesMore(decoder) && decoder.line.length === 0);
  const hasPlace = () => counted() < size && decoders.size < 2 * size;
  return {
    add(startedFor) {
      const number = nextNumber++;
      const decoder: Decoder = {
        number,
        state: 'starting',
        line: [],
        begunAt: 0,
        onEnd: () => {},
        startedFor,
      };
      decoders.add(decoder);
      return decoder;
    },
    remove: (decoder) => void decoders.delete(decoder),
    idle,
    soonIdle() {
      // Where one is to go, each must come to have nothing to do.
      if (counted() > size) return undefined;
      return find((decoder) => takesMore(decoder) && decoder.line.length === 1 && age(decoder) < AHEAD_MS);
    },
    hasPlace,
    hasPlaceAlone: () => hasPlace() || idle() !== undefined,
    coming: () => [...decoders].filter(({ state, startedFor }) => state === 'starting' && !startedFor).length,
    isTooMany: () => counted() > size,
    stuck: () => [...decoders].filter((decoder) => decoder.line.length > 1 && age(decoder) >= AHEAD_MS),
    all: () => decoders.values(),
  };
}
