import { keysUnder } from '../src/shared/keys.ts';
import { createRedisResultsStore } from '../src/shared/redisResultsStore.ts';
import { startFleet } from './fleet.ts';
import { testResultsStore } from './resultsStoreContract.ts';

testResultsStore('Redis', async (t) => {
  const { redis } = await startFleet(t);
  return createRedisResultsStore(redis, keysUnder('test'));
});
