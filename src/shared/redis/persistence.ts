import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { nodesOf } from './redisClients.ts';

/** What a Redis keeps on disk; undefined where it does not say. */
export interface Persistence {
  /** Whether it keeps a log of commands (`appendonly`). */
  log: boolean;
  /** How often it brings the log to disk: `always`, `everysec` or `no`. */
  fsync: string | undefined;
  /** Whether it saves snapshots by itself. */
  snapshots: boolean | undefined;
}

/** Of a cluster, of the node that keeps least. */
export async function readPersistence(redis: Redis): Promise<Persistence> {
  const all = await Promise.all(nodesOf(redis).map(persistenceOf));
  return all.find((kept) => persistenceWarning(kept) !== undefined) ?? all[0]!;
}

async function persistenceOf(redis: Redis): Promise<Persistence> {
  const info = await redis.info('persistence');
  const setting = async (name: string) => {
    // Managed servers do not let users see their settings.
    const reply = await redis.config('GET', name).catch(() => []);
    return (reply as string[])[1];
  };
  const [fsync, save] = await Promise.all([setting('appendfsync'), setting('save')]);
  return { log: hasLog(info), fsync, snapshots: save === undefined ? undefined : save !== '' };
}

/** What a user should know of a Redis that may lose more than a second; undefined where there is nothing. */
export function persistenceWarning({ log, fsync, snapshots }: Persistence): string | undefined {
  const remedy = 'Run `redis-cli config set appendonly yes` and set it in redis.conf.';
  if (log) {
    if (fsync !== 'no') return undefined;
    return 'Redis leaves it to the system when its log comes to disk (appendfsync no): a crash of the machine may lose 30 s. Set appendfsync everysec.';
  }
  if (snapshots) {
    return `Redis keeps snapshots only (appendonly no): a crash loses what came since the last one. ${remedy}`;
  }
  const unknown = snapshots === undefined ? ' and does not say whether it saves snapshots' : ', no save';
  return `Redis keeps nothing on disk (appendonly no${unknown}): when it is restarted, all runs and rows are lost. ${remedy}`;
}

/** With `everysec` the log is brought to disk when a second has passed, and a little later if the server is busy. */
const FSYNC_MS = 1_200;
/** WAITAOF holds the connection: not for long at a time. */
const WAITAOF_MS = 1_000;
const LOOK_MS = 50;
/** A disk that takes longer has failed for this purpose. */
const LIMIT_MS = 60_000;

/**
 * Resolves when what this connection wrote is on the server's disk: to true, or to false where it is not after a minute, or the
 * server keeps no log.
 *
 * Redis 7.2 says when (`WAITAOF`). Of an older one only the interval of its log is known, and that no flush is left waiting.
 */
export async function untilOnDisk(redis: Redis, signal?: AbortSignal): Promise<boolean> {
  const all = await Promise.all(nodesOf(redis).map((node) => untilNodeHas(node, signal)));
  return all.every(Boolean);
}

async function untilNodeHas(redis: Redis, signal?: AbortSignal): Promise<boolean> {
  if (!hasLog(await redis.info('persistence'))) return false;
  const deadline = Date.now() + LIMIT_MS;
  for (;;) {
    signal?.throwIfAborted();
    const flushed = await waitAof(redis);
    if (flushed === undefined) break;
    if (flushed) return true;
    if (Date.now() > deadline) return false;
  }
  await delay(FSYNC_MS, undefined, { signal });
  while (/^aof_pending_bio_fsync:[1-9]/m.test(await redis.info('persistence'))) {
    if (Date.now() > deadline) return false;
    await delay(LOOK_MS, undefined, { signal });
  }
  return true;
}

/** Undefined where the server does not have the command, or does not let this user give it. */
async function waitAof(redis: Redis): Promise<boolean | undefined> {
  try {
    const [local] = (await redis.call('WAITAOF', '1', '0', String(WAITAOF_MS))) as [number, number];
    return local > 0;
  } catch (error) {
    if (/unknown command|NOPERM|appendonly is disabled/i.test((error as Error).message)) return undefined;
    throw error;
  }
}

function hasLog(info: string): boolean {
  return /^aof_enabled:1/m.test(info);
}

/** The mark of the server's process, of a cluster of all its primaries: another one after a restart or a failover. */
export async function serverProcess(redis: Redis): Promise<string> {
  const all = await Promise.all(nodesOf(redis).map((node) => node.info('server')));
  const marks = all.map((info) => /^run_id:(\w+)/m.exec(info)?.[1] ?? '');
  return marks.sort().join();
}
