import type { Redis } from 'ioredis';
import type { Keys } from '../redis/keys.ts';

/** How long a producer's word outlives it. */
export const VOUCHED_MS = 5_000;

/** How a producer that has announced chunks and not added their jobs yet is told from one that is gone. */
export interface Vouching {
  /**
   * The producer says that it lives and is about to add the jobs of these chunks. That runs out after VOUCHED_MS: one that
   * takes longer says it again.
   */
  vouch(run: string, chunks: readonly number[]): Promise<void>;
  /** It has added them. */
  vouchNoMore(run: string, chunks: readonly number[]): Promise<void>;
  /** For how many milliseconds more the chunk is vouched for; 0 where it is not. */
  vouchedFor(run: string, chunk: number): Promise<number>;
}

export function createVouching(redis: Redis, keys: Keys): Vouching {
  return {
    async vouch(run, chunks) {
      await Promise.all(chunks.map((chunk) => redis.set(keys.vouched(run, chunk), '', 'PX', VOUCHED_MS)));
    },

    async vouchNoMore(run, chunks) {
      await redis.del(chunks.map((chunk) => keys.vouched(run, chunk)));
    },

    async vouchedFor(run, chunk) {
      return Math.max(0, await redis.pttl(keys.vouched(run, chunk)));
    },
  };
}
