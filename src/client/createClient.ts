import type { Redis } from 'ioredis';
import { connectRedis } from '../shared/redis/redis.ts';
import type { Client } from './client.ts';
import { createHttpClient } from './httpClient.ts';
import { createRedisClient, type RedisClientOptions } from './redisClient.ts';

/** Over Redis: by a connection of the caller's own, or by an address. */
export type RedisClient = RedisClientOptions &
  (
    | { redis: Redis; redisUrl?: never; url?: never }
    | {
        /** `redis://HOST`, `rediss://HOST` or `unix:///PATH`. */
        redisUrl: string;
        redis?: never;
        url?: never;
      }
  );

/** Over a gateway. */
export interface GatewayClient {
  /** That of `clipfleet serve`, such as `http://localhost:8321`. */
  url: string;
  /** An API key; none where the gateway asks for none. */
  key?: string;
  redis?: never;
  redisUrl?: never;
}

/**
 * A service's way to a fleet: over its Redis, or over a gateway.
 *
 * Over Redis it fails fast: a call rejects with REDIS_UNAVAILABLE when the connection has been away for `patienceMs`. A connection of the caller's
 * own stays the caller's to end.
 *
 * @throws REDIS_UNAVAILABLE, REDIS_UNSUITABLE, REDIS_FORBIDDEN where it cannot connect; USAGE for an address that is none
 */
export async function createClient(options: RedisClient | GatewayClient): Promise<Client> {
  if (options.url !== undefined) return createHttpClient(options.url, options.key);
  if (options.redis !== undefined) return createRedisClient(options.redis, options);
  const redis = await connectRedis({ url: options.redisUrl });
  // Each call says that Redis is away; without a listener ioredis would print it too.
  redis.on('error', () => {});
  return createRedisClient(redis, options, () => redis.disconnect());
}
