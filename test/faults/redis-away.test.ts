import { describe } from 'node:test';
import { testRedisAway, ways } from '../support/redisAway.ts';

// Waiting costs no processor: they share the time. How long a return takes is judged by the long ones.
describe('short absences of Redis', { concurrency: true }, () => {
  for (const way of ways) testRedisAway(way, way === 'sentinel' || way === 'cluster' ? [2] : [2, 10], 30_000);
});
