import type { Redis } from 'ioredis';

/** A number that INFO says. */
export async function redisNumber(redis: Redis, section: string, field: string): Promise<number> {
  const info = await redis.info(section);
  return Number(new RegExp(`^${field}:([\\d.]+)`, 'm').exec(info)?.[1]);
}

/** What the server has used of a core so far, system and user. */
export async function coreSecondsOf(redis: Redis): Promise<number> {
  const [system, user] = await Promise.all([
    redisNumber(redis, 'cpu', 'used_cpu_sys'),
    redisNumber(redis, 'cpu', 'used_cpu_user'),
  ]);
  return system + user;
}

/** Bytes of what is stored: without the buffers of clients and of the append-only log, which come and go. */
export async function storedBytes(redis: Redis): Promise<number> {
  const [used, clients, log] = await Promise.all([
    redisNumber(redis, 'memory', 'used_memory'),
    redisNumber(redis, 'memory', 'mem_clients_normal'),
    redisNumber(redis, 'memory', 'mem_aof_buffer'),
  ]);
  return used - clients - log;
}
