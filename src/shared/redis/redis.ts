import type { Redis, RedisOptions } from 'ioredis';
import { ClipfleetError } from '../errors.ts';
import { displayAddress, type RedisAddress, type RedisTarget, targetOf } from './redisAddress.ts';
import { nodesOf, openCluster, openServer } from './redisClients.ts';
import { isClusterOfSeveral, refusalOf, refuseUnsuitable } from './suitable.ts';

export type { RedisAddress } from './redisAddress.ts';

/** How long a connection may take to be made, and an answer to come, where nobody says. */
const [CONNECT_MS, ANSWER_MS] = [5_000, 5_000];

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
 * A server that turns out to be a node of a cluster gives a client of the whole cluster.
 *
 * The connection's errors are its owner's: listen to `error`, or ioredis prints each.
 *
 * @throws REDIS_UNAVAILABLE, REDIS_UNSUITABLE, REDIS_FORBIDDEN; USAGE for an address that is no URL
 */
export async function connectRedis(address: RedisAddress, options: ConnectOptions = {}): Promise<Redis> {
  const { timeoutMs = CONNECT_MS, answerTimeoutMs = ANSWER_MS } = options;
  const limits = { timeoutMs, answerTimeoutMs };
  const target = targetOf(address);
  const redis = openConnection(target, address, limits);
  let lastError: Error | undefined;
  const onError = (error: Error & { lastNodeError?: Error }) => {
    lastError = error.lastNodeError ?? error;
  };
  redis.on('error', onError);
  redis.on('sentinelError', onError);
  try {
    const nodes = await withTimeout(firstAnswer(redis), timeoutMs);
    redis.off('error', onError);
    if (target.kind !== 'server' || !isClusterOfSeveral(nodes)) return redis;
    redis.disconnect();
    return await connectRedis({ ...address, url: asCluster(target.url) }, options);
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

/** The address of a cluster by one of its nodes. */
function asCluster(url: string): string {
  return url.replace(/^(rediss?):/, '$1+cluster:').replace(/\/0?$/, '');
}

type Limits = Required<Pick<ConnectOptions, 'timeoutMs' | 'answerTimeoutMs'>>;

function openConnection(
  target: RedisTarget,
  { sentinelPassword }: RedisAddress,
  { timeoutMs, answerTimeoutMs }: Limits,
): Redis {
  const options: RedisOptions = {
    lazyConnect: true,
    maxRetriesPerRequest: null,
    connectTimeout: timeoutMs,
    socketTimeout: answerTimeoutMs,
    disconnectTimeout: GOODBYE_MS,
    retryStrategy,
    reconnectOnError,
  };
  const patient = { ...options, socketTimeout: answerTimeoutMs + LONGEST_BLOCK_MS };
  if (target.kind === 'cluster') {
    const { nodes, username, password, tls } = target;
    const login = { ...(username && { username }), ...(password && { password }), ...(tls && { tls: {} }) };
    const cluster = openCluster(nodes, { ...options, ...login });
    cluster.duplicate = () => openCluster(nodes, { ...patient, ...login });
    return cluster;
  }
  const redis = openServer(target, options, sentinelPassword);
  // The twins leave too, and say nothing: this one speaks for all.
  redis.options.reconnectOnError = (error) => {
    const leave = reconnectOnError(error);
    if (leave && redis.listenerCount('error') > 0) redis.emit('error', demoted(error));
    return leave;
  };
  // BullMQ's connections that wait for jobs are made so. Once they are ready they wait without a word, which is no silence.
  const duplicate = redis.duplicate.bind(redis);
  redis.duplicate = (override) => {
    const twin = duplicate(override);
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

/** What each server says of itself, once all of them are known to be good to work with. */
async function firstAnswer(redis: Redis): Promise<string[]> {
  await redis.connect();
  if (redis.isCluster) {
    const all = await Promise.all(nodesOf(redis).map((node) => node.info()));
    all.forEach(refuseUnsuitable);
    return all;
  }
  // ioredis has sent both before, and goes on as the default user and with database 0 where they are refused.
  const { db, username, password } = redis.options;
  if (password && !username) await redis.call('AUTH', password);
  if (db) await redis.select(db);
  const info = await redis.info();
  refuseUnsuitable(info);
  if (!/^cluster_enabled:1/m.test(info)) return [info];
  return [`${info}\n${await redis.call('CLUSTER', 'INFO')}`];
}

async function withTimeout<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  return Promise.race([work, timeout]).finally(() => clearTimeout(timer));
}
