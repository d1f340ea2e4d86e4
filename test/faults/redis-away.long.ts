import { testRedisAway, ways } from '../support/redisAway.ts';

// Sentinels end an absence themselves: that it is longer shows in a server that stays away, and changes nothing.
for (const way of ways) testRedisAway(way, way === 'sentinel' ? [2, 10] : [2, 10, 30, 120], 10_000);
