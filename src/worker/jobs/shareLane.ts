import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Keys } from '../../shared/redis/keys.ts';

/** How long one word of an idle worker lasts. */
const WANTED_MS = 1_500;

/**
 * How the workers of a lane tell each other that one of them has nothing to do: it says so again and again while that is
 * so, under a key that expires.
 *
 * A worker's own word is not for itself: it may have said it a moment before its own jobs came back from a delay, and
 * would give itself images that it has fetched, to fetch them again.
 */
export function createLaneShare(redis: Redis, keys: Keys) {
  const worker = randomUUID();
  return {
    /** This worker has nothing to do, and there is nothing waiting in the lane. */
    async want(lane: string): Promise<void> {
      await redis.set(keys.shareWanted(lane), worker, 'PX', WANTED_MS);
    },
    /** Whether another worker of the lane has nothing to do. */
    async isWanted(lane: string): Promise<boolean> {
      const wishing = await redis.get(keys.shareWanted(lane));
      return wishing !== null && wishing !== worker;
    },
  };
}

export type LaneShare = ReturnType<typeof createLaneShare>;
