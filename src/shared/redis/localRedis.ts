import * as fs from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ClipfleetError } from '../errors.ts';
import { findRedisServer, redisRemedy } from './redisBinary.ts';
import { type Keeper, startKeeper } from './redisKeeper.ts';
import { dial } from './redisLine.ts';
import { placeOf, type RedisPlace } from './redisPlace.ts';

/** A share in the folder's own Redis server. */
export interface LocalRedis {
  /** The path of the server's Unix socket. */
  socket: string;
  /** Gives the share back. If it was the last one, resolves when the server has stopped. */
  release(): Promise<void>;
  /** To be called after a lost connection: starts the server anew if it died. Throws as `leaseLocalRedis` does. */
  ensure(): Promise<void>;
}

/** Without any sign of life from a server; one that loads a long log gives signs of life. */
const startTimeoutMs = 20_000;
const answerTimeoutMs = 5_000;
const stopTimeoutMs = 60_000;
const lookAgainMs = 20;
const logLinesShown = 8;

/**
 * A share in the Redis server of `dataDir`: found when another command on this machine runs it, started otherwise. It
 * stops with the last command that holds a share, however that one ends.
 *
 * Throws DATA_DIR_UNUSABLE, REDIS_MISSING without a server program, REDIS_UNAVAILABLE when it does not come up, and the signal's reason.
 */
export async function leaseLocalRedis(options: {
  dataDir: string;
  signal?: AbortSignal;
}): Promise<LocalRedis> {
  const place = await placeOf(options.dataDir);
  let lease: number | undefined = await acquire(place, options.signal);
  let renewal: Promise<void> | undefined;

  const renew = async () => {
    const renewed = await acquire(place, options.signal);
    if (lease === undefined) return fs.closeSync(renewed);
    fs.closeSync(lease);
    lease = renewed;
  };
  return {
    socket: place.socket,
    async ensure() {
      // After the release a reconnecting client may still ask: it needs no server then.
      if (lease === undefined) return;
      renewal ??= renew().finally(() => {
        renewal = undefined;
      });
      await renewal;
    },
    async release() {
      const held = lease;
      lease = undefined;
      if (held !== undefined) await giveBack(place, held);
    },
  };
}

/** Opens the lease of a running server, and makes one run as often as it takes. Returns the file descriptor. */
async function acquire(place: RedisPlace, signal?: AbortSignal): Promise<number> {
  let keeper: Keeper | undefined;
  let deadline = Date.now() + startTimeoutMs;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const found = await look(place);
      if (typeof found === 'number') return found;
      if (found === 'loading') deadline = Date.now() + startTimeoutMs;
      if (keeper?.state() === 'failed' || Date.now() > deadline) throw await unavailable(place, keeper);
      if (found === 'absent' && keeper?.state() !== 'starting') {
        keeper?.letGo();
        keeper = startKeeper(serverProgram(), place);
      }
      await delay(lookAgainMs, undefined, { signal });
    }
  } finally {
    keeper?.letGo();
  }
}

function serverProgram(): string {
  const program = findRedisServer();
  if (program) return program;
  throw new ClipfleetError(
    'REDIS_MISSING',
    `Neither redis-server nor valkey-server is on PATH: ${redisRemedy}.`,
  );
}

/**
 * One look at the place: the opened lease of a server that answers, or why there is none.
 *
 * A keeper makes the lease before it starts its server. So a lease without a reader, seen after the connection was
 * made, means that the keeper of this very server is gone or going: nobody would stop it, so it is stopped here.
 */
async function look(place: RedisPlace): Promise<number | 'loading' | 'absent'> {
  const line = await dial(place.socket, answerTimeoutMs);
  if (!line) return 'absent';
  try {
    const answer = await line.ask('PING');
    const lease = openLease(place.lease, fs.constants.O_WRONLY);
    if (lease === undefined) {
      await line.ask('SHUTDOWN NOSAVE');
      return 'absent';
    }
    if (answer.startsWith('+PONG') && isStill(place.lease, lease)) return lease;
    fs.closeSync(lease);
    return answer.startsWith('-LOADING') ? 'loading' : 'absent';
  } finally {
    line.hangUp();
  }
}

async function giveBack(place: RedisPlace, lease: number): Promise<void> {
  const line = await dial(place.socket, stopTimeoutMs);
  const reader = openLease(place.lease, fs.constants.O_RDONLY);
  fs.closeSync(lease);
  const last = reader === undefined || hasNoWriter(reader);
  if (reader !== undefined) fs.closeSync(reader);
  if (last) await line?.closed;
  line?.hangUp();
}

/** Undefined where there is no lease, or (for writing) nobody who reads it. */
function openLease(path: string, access: number): number | undefined {
  try {
    return fs.openSync(path, access | fs.constants.O_NONBLOCK);
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENXIO')) return undefined;
    throw error;
  }
}

/** Whether the path still leads to the file that is open: a keeper unlinks the lease before it stops. */
function isStill(path: string, open: number): boolean {
  return fs.statSync(path, { throwIfNoEntry: false })?.ino === fs.fstatSync(open).ino;
}

/** A FIFO that nobody holds open for writing reads as ended; with a writer there is just nothing to read yet. */
function hasNoWriter(reader: number): boolean {
  try {
    return fs.readSync(reader, Buffer.alloc(1)) === 0;
  } catch (error) {
    if (hasCode(error, 'EAGAIN')) return false;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

async function unavailable(place: RedisPlace, keeper: Keeper | undefined): Promise<ClipfleetError> {
  if (keeper?.state() !== 'failed') {
    return new ClipfleetError(
      'REDIS_UNAVAILABLE',
      `${place.data} is in use by a Redis server that cannot be reached from here ` +
        `(of another machine or container?): stop it, work in another folder, or set REDIS_URL.`,
    );
  }
  const log = join(place.data, 'redis.log');
  const lines = (keeper.output() + (await readFile(log, 'utf8').catch(() => ''))).trim().split('\n');
  return new ClipfleetError(
    'REDIS_UNAVAILABLE',
    `The Redis server of ${place.data} did not come up. The end of ${log} says why:\n` +
      lines.slice(-logLinesShown).join('\n'),
  );
}
