import { Redis } from 'ioredis';
import { ClipfleetError } from '../errors.ts';

/** Redis before 6.2 lacks commands BullMQ relies on. */
const OLDEST_VERSION = [6, 2] as const;

export interface RedisAddress {
  /** `redis://HOST`, `rediss://HOST` or `unix:///PATH`. */
  url?: string | undefined;
  /** The path of a Unix socket, instead of a URL. */
  socket?: string | undefined;
}

/**
 * A connection that is known to work: it answered once, its server is new enough and does not evict keys.
 *
 * Later it outlives an absent Redis: commands wait until it is back. Only the first connection fails fast, because
 * then the address is probably wrong.
 *
 * @throws REDIS_UNAVAILABLE, REDIS_UNSUITABLE
 */
export async function connectRedis(address: RedisAddress, timeoutMs = 5_000): Promise<Redis> {
  const options = { lazyConnect: true, maxRetriesPerRequest: null, connectTimeout: timeoutMs, retryStrategy };
  const socket = address.socket ?? socketOf(address.url);
  const redis = socket ? new Redis({ ...options, path: socket }) : new Redis(address.url ?? '', options);
  let lastError: Error | undefined;
  const onError = (error: Error) => {
    lastError = error;
  };
  redis.on('error', onError);
  try {
    await withTimeout(firstAnswer(redis), timeoutMs);
    return redis;
  } catch (error) {
    redis.disconnect();
    if (error instanceof ClipfleetError) throw error;
    const reason = lastError?.message || (error as Error).message;
    throw new ClipfleetError(
      'REDIS_UNAVAILABLE',
      `Expected a Redis server at ${displayAddress(address)}, got: ${reason}. Start one, or correct REDIS_URL.`,
      { cause: error },
    );
  }
}

/** ioredis knows no `unix:` URL; Redis clients of other languages do. */
function socketOf(url: string | undefined): string | undefined {
  return url?.startsWith('unix:///') ? decodeURIComponent(new URL(url).pathname) : undefined;
}

function retryStrategy(attempt: number): number {
  return Math.min(100 * 2 ** Math.min(attempt, 5), 2_000);
}

async function firstAnswer(redis: Redis): Promise<void> {
  const info = await redis.connect().then(() => redis.info());
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const version = field('redis_version') ?? '0';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < OLDEST_VERSION[0] || (major === OLDEST_VERSION[0] && minor < OLDEST_VERSION[1])) {
    throw new ClipfleetError(
      'REDIS_UNSUITABLE',
      `Expected Redis ${OLDEST_VERSION.join('.')} or newer, got ${version}: upgrade the server.`,
    );
  }
  const policy = field('maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction') {
    throw new ClipfleetError(
      'REDIS_UNSUITABLE',
      `Expected maxmemory-policy noeviction, got ${policy}: this Redis may silently drop jobs and rows. ` +
        'Run `redis-cli config set maxmemory-policy noeviction` and set it in redis.conf.',
    );
  }
}

async function withTimeout(work: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  await Promise.race([work, timeout]).finally(() => clearTimeout(timer));
}

/** The address without its password. */
function displayAddress(address: RedisAddress): string {
  if (address.socket) return address.socket;
  try {
    const url = new URL(address.url ?? '');
    if (url.password) url.password = '***';
    return url.href;
  } catch {
    return 'an address that is not a URL';
  }
}
