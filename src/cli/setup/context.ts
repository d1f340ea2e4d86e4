import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Redis } from 'ioredis';
import { createProducer, type Producer } from '../../producer/producer.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import type { OnError } from '../../shared/fleet/tellErrors.ts';
import { createLog, type Logger } from '../../shared/log/log.ts';
import type { Config } from '../../shared/options/config.ts';
import { keysUnder } from '../../shared/redis/keys.ts';
import { leaseLocalRedis } from '../../shared/redis/localRedis.ts';
import { connectRedis } from '../../shared/redis/redis.ts';
import { type OpenStoreOptions, openStore } from '../../shared/store/openStore.ts';

export const contextOptions = [
  'redisUrl',
  'redisSentinelPassword',
  'redisTimeoutMs',
  'prefix',
  'store',
  'dataDir',
  'logLevel',
] as const;

export type ContextConfig = Config<(typeof contextOptions)[number]>;

/** What every command works with. */
export interface Context {
  redis: Redis;
  prefix: string;
  producer: Producer;
  log: Logger;
  /** Told of errors of the connection that no call throws. */
  onError: OnError;
  close(): Promise<void>;
}

/** A connection to Redis, and how to be done with it. */
export interface OpenRedis {
  redis: Redis;
  /** Told of errors of the connection that no call throws. */
  onError: OnError;
  close(): Promise<void>;
}

/**
 * Connects to the Redis of REDIS_URL, or to this user's own server, which runs as long as a command uses it.
 *
 * @throws REDIS_UNAVAILABLE, REDIS_UNSUITABLE, REDIS_FORBIDDEN, REDIS_MISSING, DATA_DIR_UNUSABLE
 */
export async function openRedis(
  config: Pick<ContextConfig, 'redisUrl' | 'redisSentinelPassword' | 'redisTimeoutMs' | 'dataDir'>,
  log: Logger,
): Promise<OpenRedis> {
  const local = config.redisUrl ? undefined : await leaseLocalRedis({ dataDir: resolve(config.dataDir) });
  try {
    const { redisUrl: url, redisSentinelPassword: sentinelPassword } = config;
    const address = { url, socket: local?.socket, sentinelPassword };
    const redis = await connectRedis(address, { answerTimeoutMs: config.redisTimeoutMs });
    const onError: OnError = (error) => log.warn({ err: error }, 'Redis connection');
    redis.on('error', onError);
    // A server of our own that died is started again; its log has everything.
    redis.on(
      'close',
      () =>
        void local
          ?.ensure()
          .catch((error: Error) => log.error({ err: error }, 'private Redis server not restarted')),
    );
    return {
      redis,
      onError,
      async close() {
        redis.removeAllListeners('close');
        redis.disconnect();
        await local?.release();
      },
    };
  } catch (error) {
    await local?.release();
    throw error;
  }
}

export interface OpenContextOptions {
  /** Where it is said that the results store is away and waited for; the log when absent. */
  waits?: OpenStoreOptions['log'];
  /** Told of each line of the log of level error or above. */
  onLoggedError?: (message: string) => void;
}

/**
 * Connects to Redis and to the results store.
 *
 * @throws what `openRedis` throws, STORE_UNAVAILABLE, STORE_UNSUITABLE
 */
export async function openContext(
  config: ContextConfig,
  { waits, onLoggedError }: OpenContextOptions = {},
): Promise<Context> {
  const { prefix } = config;
  const log = createLog(config.logLevel, undefined, undefined, onLoggedError);
  const { redis, onError, close } = await openRedis(config, log);
  try {
    const store = await openStore(config.store, { redis, keys: keysUnder(prefix), log: waits ?? log });
    return {
      ...{ redis, prefix, log, onError },
      producer: createProducer({ redis, prefix, store, onError }),
      async close() {
        await store.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Whether there can be runs: a user's own server that never ran has none, and nothing is made to look for them. */
export function mayHaveRuns({ redisUrl, dataDir }: ContextConfig): boolean {
  return redisUrl !== undefined || existsSync(join(dataDir, 'redis'));
}

/**
 * Opens the context of runs that are there, does the work with it, and closes it whatever happened.
 *
 * @throws RUN_UNKNOWN where there can be none
 */
export async function withContext<T>(
  config: ContextConfig,
  work: (context: Context) => Promise<T>,
): Promise<T> {
  if (!mayHaveRuns(config)) {
    const message = `There are no runs in ${resolve(config.dataDir)}: set REDIS_URL, or --data-dir, to where the run was made.`;
    throw new ClipfleetError('RUN_UNKNOWN', message);
  }
  const context = await openContext(config);
  try {
    return await work(context);
  } finally {
    await context.close();
  }
}
