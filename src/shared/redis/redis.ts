import { Redis, type RedisOptions } from 'ioredis';
import { ClipfleetError } from '../errors.ts';
import { refusalOf, refuseCluster, refuseUnsuitable } from './suitable.ts';

/** How long a connection may take to be made, and an answer to come, where nobody says. */
const [CONNECT_MS, ANSWER_MS] = [5_000, 5_000];

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
 * @throws REDIS_UNAVAILABLE, REDIS_UNSUITABLE, REDIS_FORBIDDEN; USAGE for an address that is no URL
 */
export async function connectRedis(address: RedisAddress, options: ConnectOptions = {}): Promise<Redis> {
  const { timeoutMs = CONNECT_MS, answerTimeoutMs = ANSWER_MS } = options;
  refuseUnreadable(address);
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
    const refusal = [error as Error, lastError].flatMap((each) => each && refusalOf(each, redis.options.db));
    for (const each of refusal) if (each) throw each;
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
  // The twins leave too, and say nothing: this one speaks for all.
  redis.options.reconnectOnError = (error) => {
    const leave = reconnectOnError(error);
    if (leave && redis.listenerCount('error') > 0) redis.emit('error', demoted(error));
    return leave;
  };
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

function demoted({ message }: Error): ClipfleetError {
  return new ClipfleetError(
    'REDIS_UNSUITABLE',
    `Redis may only be read from now (${message.split(' ')[0]}): connecting anew until it, or the server that its address leads to, takes writes.`,
  );
}

async function firstAnswer(redis: Redis): Promise<void> {
  await redis.connect();
  // ioredis has sent both before, and goes on as the default user and with database 0 where they are refused.
  const { db, username, password } = redis.options;
  if (password && !username) await redis.call('AUTH', password);
  if (db) await redis.select(db);
  const info = await redis.info();
  refuseUnsuitable(info);
  await refuseCluster(redis, info);
}

async function withTimeout(work: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  await Promise.race([work, timeout]).finally(() => clearTimeout(timer));
}

/**
 * @throws USAGE where the URL does not say what its writer meant, and no word of it, because a part of the password would be taken for
 * something else
 */
function refuseUnreadable({ url }: RedisAddress): void {
  if (url === undefined || url.startsWith('unix:')) return;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed && !/[@#]/.test(parsed.pathname + parsed.search + parsed.hash) && isDecodable(parsed.password)) {
    if (/^\/?\d*$/.test(parsed.pathname)) return;
    const message =
      'Expected the number of a database after the host in REDIS_URL, as in redis://HOST:6379/2.';
    throw new ClipfleetError('USAGE', message);
  }
  throw new ClipfleetError(
    'USAGE',
    'Expected REDIS_URL as redis://HOST:PORT/DATABASE, with USER:PASSWORD@ before HOST, got a text that is none. Write special characters of the ' +
      'password percent-encoded: %40 for @, %2F for /, %23 for #, %3F for ?, %25 for %.',
  );
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** The address without its password. */
function displayAddress(address: RedisAddress): string {
  if (address.socket) return address.socket;
  const url = new URL(address.url ?? '');
  if (url.password) url.password = '***';
  url.search = '';
  return url.href;
}
