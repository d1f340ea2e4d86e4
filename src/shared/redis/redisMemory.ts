import type { Redis } from 'ioredis';
import { nodesOf } from './redisClients.ts';

/** Bytes that Redis uses, and may use; `max` is 0 where it has no limit. */
export interface RedisMemory {
  used: number;
  max: number;
}

/**
 * Of a cluster, twice what its fullest node uses and may use: a run's rows lie in four buckets, of which one node may have two. Where a node has no
 * limit, there is none.
 */
export async function readRedisMemory(redis: Redis): Promise<RedisMemory> {
  const nodes = await Promise.all(nodesOf(redis).map(memoryOf));
  if (nodes.length === 1) return nodes[0]!;
  const sum = nodes.reduce((used, node) => used + node.used, 0);
  if (nodes.some(({ max }) => max === 0)) return { used: sum, max: 0 };
  const fullest = nodes.reduce((a, b) => (a.max - a.used < b.max - b.used ? a : b));
  return { used: 2 * fullest.used, max: 2 * fullest.max };
}

async function memoryOf(redis: Redis): Promise<RedisMemory> {
  const info = await redis.info('memory');
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  return { used: field('used_memory'), max: field('maxmemory') };
}
