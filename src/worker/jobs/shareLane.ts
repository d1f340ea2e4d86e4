import type { Redis } from 'ioredis';
import type { Keys } from '../../shared/redis/keys.ts';

/** How long one word of an idle worker lasts. */
const WANTED_MS = 1_500;

/**
 * How the workers of a lane tell each other that one of them has nothing to do: it says so again and again while that is
 * so, under a key that expires.
 */
export function createLaneShare(redis: Redis, keys: Keys) {
  return {
    /** This worker has nothing to do, and there is nothing waiting in the lane. */
    async want(lane: string): Promise<void> {
      await redis.set(keys.shareWanted(lane), '1', 'PX', WANTED_MS);
    },
    async isWanted(lane: string): Promise<boolean> {
      return (await redis.exists(keys.shareWanted(lane))) === 1;
    },
  };
}

export type LaneShare = ReturnType<typeof createLaneShare>;
