import { Redis, type RedisOptions } from 'ioredis';
import { ClipfleetError } from '../errors.ts';

/** How long a connection may take to be made, and an answer to come, where nobody says. */
const [CONNECT_MS, ANSWER_MS] = [5_000, 5_000];

/** Redis before 6.2 lacks commands BullMQ relies on. */
const OLDEST_VERSION = [6, 2] as const;

export interface RedisAddress {
  /** `redis://HOST`, `rediss://HOST` or `unix:///PATH`. */
  url?: string | undefined;
  /** The path of a Unix socket, instead of a URL. */
  socket?: string | undefined;
}

export interface ConnectOptions {
  /** For the first answer, in milliseconds; 5,000 when absent. */
  timeoutMs?: number;
  /** How long a command may be without an answer before the connection is made anew; 5,000 ms when absent. */
  answerTimeoutMs?: number;
}

/**
 * A connection that is known to work: it answered once, its server is new enough and does not evict keys.
 *
 * Later it outlives an absent Redis: commands wait until it is back. A server that leaves a command without an answer, or
 * answers that it only may be read from, is left: the connection is made anew, to where the address leads then, and the command
 * is sent again. Only the first connection fails fast, because then the address is probably wrong.
 *
 * The connection's errors are its owner's: listen to `error`, or ioredis prints each.
 *
 * @throws REDIS_UNAVAILABLE, REDIS_UNSUITABLE
 */
export async function connectRedis(address: RedisAddress, options: ConnectOptions = {}): Promise<Redis> {
  const { timeoutMs = CONNECT_MS, answerTimeoutMs = ANSWER_MS } = options;
  const redis = openConnection(address, timeoutMs, answerTimeoutMs);
  let lastError: Error | undefined;
  const onError = (error: Error) => {
    lastError = error;
  };
  redis.on('error', onError);
  try {
    await withTimeout(firstAnswer(redis), timeoutMs);
    redis.off('error', onError);
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

function openConnection(address: RedisAddress, timeoutMs: number, answerTimeoutMs: number): Redis {
  const options: RedisOptions = {
    lazyConnect: true,
    maxRetriesPerRequest: null,
    connectTimeout: timeoutMs,
    socketTimeout: answerTimeoutMs,
    disconnectTimeout: GOODBYE_MS,
    retryStrategy,
    reconnectOnError,
  };
  const socket = address.socket ?? socketOf(address.url);
  const redis = socket ? new Redis({ ...options, path: socket }) : new Redis(address.url ?? '', options);
  // BullMQ's connections that wait for jobs are made so. Once they are ready they wait without a word, which is no silence.
  redis.duplicate = (override) => {
    const twin = Redis.prototype.duplicate.call(redis, override);
    twin.on('ready', () => {
      twin.options.socketTimeout = answerTimeoutMs + LONGEST_BLOCK_MS;
    });
    twin.on('close', () => {
      twin.options.socketTimeout = answerTimeoutMs;
    });
    return twin;
  };
  return redis;
}

/** For so long BullMQ asks Redis to wait for a job at most (`maximumBlockTimeout` of its Redis backend). */
const LONGEST_BLOCK_MS = 10_000;

/**
 * A connection that is given up has so long to say goodbye. ioredis waits for as long also where there is none any more, and that keeps the
 * process alive.
 */
const GOODBYE_MS = 100;

/** ioredis knows no `unix:` URL; Redis clients of other languages do. */
function socketOf(url: string | undefined): string | undefined {
  return url?.startsWith('unix:///') ? decodeURIComponent(new URL(url).pathname) : undefined;
}

function retryStrategy(attempt: number): number {
  return Math.min(100 * 2 ** Math.min(attempt, 5), 2_000);
}

/**
 * A server that was demoted may be read from and no more: the address may lead to another by now. 2 is ioredis's word for
 * connecting anew and sending the command again.
 */
function reconnectOnError({ message }: Error): 2 | false {
  return /^(READONLY|UNBLOCKED|MASTERDOWN)\b/.test(message) ? 2 : false;
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
