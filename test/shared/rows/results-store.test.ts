import { keysUnder } from '../../../src/shared/redis/keys.ts';
import { createRedisResultsStore } from '../../../src/shared/rows/redisResultsStore.ts';
import { startFleet } from '../../support/fleet.ts';
import { testResultsStore } from '../../support/resultsStoreContract.ts';

testResultsStore('Redis', async (t) => {
  const { redis } = await startFleet(t);
  return createRedisResultsStore(redis, keysUnder('test'));
});
