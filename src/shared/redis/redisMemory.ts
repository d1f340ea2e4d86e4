import type { Redis } from 'ioredis';

/** Bytes that Redis uses, and may use; `max` is 0 where it has no limit. */
export interface RedisMemory {
  used: number;
  max: number;
}

export async function readRedisMemory(redis: Redis): Promise<RedisMemory> {
  const info = await redis.info('memory');
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  return { used: field('used_memory'), max: field('maxmemory') };
}
