import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import type { Endpoint, RedisTarget } from './redisAddress.ts';

/** Commands to a node that is away are said again after so long, until it is back or another has its slots. */
const AGAIN_MS = 200;

/**
 * A client of all nodes of a cluster, which goes by the keys of each command. It has the commands of a single connection, and is one for all
 * who use it; what only a connection has (`options`, `stream`) is not there. Commands without a key, such as INFO, go to any node: `nodesOf` has each.
 */
export function openCluster(nodes: readonly Endpoint[], options: RedisOptions): Redis {
  const { lazyConnect: _, retryStrategy: again, ...redisOptions } = options;
  const how: ClusterOptions = {
    lazyConnect: true,
    redisOptions,
    clusterRetryStrategy: (attempt) => again?.(attempt) ?? AGAIN_MS,
    retryDelayOnClusterDown: AGAIN_MS,
    retryDelayOnFailover: AGAIN_MS,
    retryDelayOnTryAgain: AGAIN_MS,
    // As long as it takes, as on a single connection: each time is a pause apart.
    retryDelayOnMoved: 50,
    maxRedirections: Number.MAX_SAFE_INTEGER,
    slotsRefreshTimeout: redisOptions.connectTimeout ?? AGAIN_MS,
    slotsRefreshInterval: 5_000,
  };
  return new Cluster([...nodes], how) as unknown as Redis;
}

/** The connection itself, or those to the primaries of a cluster. */
export function nodesOf(redis: Redis): Redis[] {
  return redis.isCluster ? (redis as unknown as Cluster).nodes('master') : [redis];
}

/** A connection to one server: by its address, or to the one that sentinels say is the primary. */
export function openServer(
  target: Exclude<RedisTarget, { kind: 'cluster' }>,
  options: RedisOptions,
  sentinelPassword: string | undefined,
): Redis {
  if (target.kind === 'socket') return new Redis({ ...options, path: target.path });
  if (target.kind === 'server') return new Redis(target.url, options);
  const { sentinels, name, db, username, password, tls } = target;
  return new Redis({
    ...options,
    ...{ sentinels, name, db },
    ...(username && { username }),
    ...(password && { password }),
    ...(sentinelPassword && { sentinelPassword }),
    ...(tls && { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true }),
    ...(options.retryStrategy && { sentinelRetryStrategy: options.retryStrategy }),
    // A sentinel says it at once when another server has become the primary; else the old one has to refuse a write first.
    failoverDetector: true,
  });
}
