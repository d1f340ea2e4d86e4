import { testRedisAway, ways } from '../support/redisAway.ts';

for (const way of ways) testRedisAway(way, [2, 10, 30, 120], 10_000);
