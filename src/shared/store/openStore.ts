import type { Redis } from 'ioredis';
import type { BackOffOptions } from '../backOff.ts';
import { readLabelSet } from '../labels/storedLabelSet.ts';
import type { Keys } from '../redis/keys.ts';
import { createRedisResultsStore } from '../rows/redisResultsStore.ts';
import type { ResultsStore } from '../rows/resultsStore.ts';

export interface OpenStoreOptions {
  /** Where the runs are. */
  redis: Redis;
  keys: Keys;
  log: BackOffOptions['log'];
}

/**
 * The results store of an address: a database of PostgreSQL, or, without one, the Redis that the runs are in.
 *
 * @throws STORE_UNAVAILABLE, STORE_UNSUITABLE
 */
export async function openStore(
  url: string | undefined,
  { redis, keys, log }: OpenStoreOptions,
): Promise<ResultsStore> {
  if (url === undefined) return createRedisResultsStore(redis, keys);
  const { openPostgres } = await import('../rows/postgres/openPostgres.ts');
  const records = {
    async factsOf(run: string) {
      const fields = ['birth', 'createdAt', 'model', 'labelSet', 'expiresAt'] as const;
      const [birth, createdAt, model, labelSet, expiresAt] = await redis.hmget(keys.run(run), ...fields);
      // A run that another program opened may have no birth.
      if (!model || !labelSet) return undefined;
      return {
        ...{ birth: birth ?? createdAt ?? '', model, labelSet },
        ...(expiresAt && { expiresAt: Number(expiresAt) }),
      };
    },
    async labelsOf(labelSet: string) {
      // Producers of other languages may open a run whose label set is not there yet, or never: then its images fail.
      const known = await readLabelSet(redis, keys, labelSet).catch(() => undefined);
      return known?.labels.map(({ label }) => label) ?? [];
    },
  };
  return openPostgres(url, records, log);
}
