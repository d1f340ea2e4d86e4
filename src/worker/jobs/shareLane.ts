import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Keys } from '../../shared/redis/keys.ts';

/** How long one word of an idle worker lasts. */
const WANTED_MS = 1_500;

/**
 * How the workers of a lane tell each other that one of them has nothing to do: it says so again and again while that is
 * so, under a key that expires. A worker does not hear itself: its own last word, said just before a job came, would make it
 * divide that job for nobody.
 */
export function createLaneShare(redis: Redis, keys: Keys) {
  const worker = randomUUID();
  return {
    /** This worker has nothing to do, and there is nothing waiting in the lane. */
    async want(lane: string): Promise<void> {
      await redis.set(keys.shareWanted(lane), worker, 'PX', WANTED_MS);
    },
    /** Whether another worker has nothing to do. */
    async isWanted(lane: string): Promise<boolean> {
      const said = await redis.get(keys.shareWanted(lane));
      return said !== null && said !== worker;
    },
  };
}

export type LaneShare = ReturnType<typeof createLaneShare>;
