import type { Redis } from 'ioredis';
import type { Keys } from '../redis/keys.ts';
import { defineLossScripts } from './lossScripts.ts';

/** An image that was in hand when a process died. */
export interface Suspect {
  /** Images of the smallest piece with which it was lost. */
  size: number;
  /** Processes that died while they worked on it and on nothing else. */
  deaths: number;
}

/**
 * The losses of a run. A loss is a process that died while it held a piece. They are kept by image and not by job, so that they outlive the
 * job: an image may come back in another chunk.
 */
export interface Losses {
  /** Charges the death of the worker that held the piece to the images of it that have no row; each death once. */
  charge(run: string, piece: string, worker: string, ids: readonly string[]): Promise<void>;
  /** Which of the images are suspects. */
  suspects(run: string, ids: readonly string[]): Promise<Map<string, Suspect>>;
  /** The images have their rows. */
  acquit(run: string, ids: readonly string[]): Promise<void>;
  /** The worker did not die of the image, whatever was thought of it. */
  spare(run: string, id: string, worker: string): Promise<void>;
  /** The images are counted from nothing, but go on as suspects: whoever tries one again works on it alone. */
  reset(run: string, ids: readonly string[]): Promise<void>;
}

export function createLosses(redis: Redis, keys: Keys): Losses {
  defineLossScripts(redis);
  return {
    async charge(run, piece, worker, ids) {
      const ledger = [keys.run(run), keys.active(run), keys.suspects(run)] as const;
      await redis.clipfleetCharge(...ledger, piece, worker, ids.length, ...ids);
    },

    async suspects(run, ids) {
      const found = new Map<string, Suspect>();
      if (ids.length === 0) return found;
      const known = await redis.hmget(keys.suspects(run), ...ids);
      known.forEach((text, i) => {
        if (text === null) return;
        const [size, ...workers] = text.split(' ');
        found.set(ids[i]!, { size: Number(size), deaths: workers.length });
      });
      return found;
    },

    async acquit(run, ids) {
      if (ids.length > 0) await redis.hdel(keys.suspects(run), ...ids);
    },

    async spare(run, id, worker) {
      await redis.clipfleetSpare(keys.suspects(run), id, worker);
    },

    async reset(run, ids) {
      if (ids.length > 0) await redis.clipfleetReset(keys.run(run), keys.suspects(run), ...ids);
    },
  };
}
