import { createDecodeQueue } from './decodeQueue.ts';
import type { DecodeTask } from './decoderCrew.ts';

/** How much is decoded at the same time. */
export interface DecodeRoom {
  /** Images. */
  decoders: number;
  /** Pixels of the large images together; one that has more is decoded when no other large one is. */
  pixels: number;
  /** Pixels that an image may have without asking for room. */
  free: number;
}

/** The images that no decoder has, and the room that the others take: from when they leave it until they are released. */
export interface DecodeBacklog {
  /** Images that a decoder with nothing to do would be given now. */
  waiting(): number;
  /** For a decoder that has nothing to do: a large image whose room is there, else the next one. */
  next(): DecodeTask | undefined;
  /** One that needs no room, to stand behind another. */
  nextSmall(): DecodeTask | undefined;
  /** One that is to be alone in a new decoder, when there is room for it. */
  nextAlone(): DecodeTask | undefined;
  add(task: DecodeTask): void;
  /** One that had its turn already: before the others, or behind those that wait for the same. */
  putBack(task: DecodeTask, where: 'first' | 'last'): void;
  /** Whether it was there. */
  remove(task: DecodeTask): boolean;
  /** It has left its decoder. */
  release(task: DecodeTask): void;
}

/**
 * Large images get room in the order in which they asked, so that none waits for ever behind smaller ones. Those that
 * need none overtake them.
 */
export function createDecodeBacklog(room: DecodeRoom): DecodeBacklog {
  const ordinary = createDecodeQueue<DecodeTask>();
  const large = createDecodeQueue<DecodeTask>();
  const alone = createDecodeQueue<DecodeTask>();
  let taken = 0;

  const queueOf = ({ deaths, pixels }: DecodeTask) =>
    deaths > 0 ? alone : pixels === undefined ? ordinary : large;
  const fits = ({ pixels = 0 }: DecodeTask) => taken === 0 || taken + pixels <= room.pixels;

  /** One that is to be alone waits for room too, and is not overtaken. */
  function largeMayGo(): boolean {
    const first = large.first();
    return first !== undefined && alone.size === 0 && fits(first);
  }

  function take(queue: typeof ordinary): DecodeTask | undefined {
    const task = queue.shift();
    taken += task?.pixels ?? 0;
    return task;
  }

  return {
    waiting: () => ordinary.size + (largeMayGo() ? 1 : 0),
    next: () => take(largeMayGo() ? large : ordinary),
    nextSmall: () => take(ordinary),
    nextAlone() {
      const first = alone.first();
      return first && fits(first) ? take(alone) : undefined;
    },
    add: (task) => ordinary.push(task),
    putBack(task, where) {
      if (where === 'first') queueOf(task).pushFront(task);
      else queueOf(task).push(task);
    },
    remove: (task) => [ordinary, large, alone].some((queue) => queue.remove(task)),
    release: ({ pixels = 0 }) => {
      taken -= pixels;
    },
  };
}
