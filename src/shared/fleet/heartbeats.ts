import type { Redis, Result } from 'ioredis';
import type { Keys } from '../redis/keys.ts';

/** What became of a worker: it lives, it left with a goodbye, it died, or nobody can tell before `waitMs` more milliseconds. */
export type Fate = { kind: 'lives' | 'left' | 'dead' } | { kind: 'silent'; waitMs: number };

/**
 * Which workers live. A worker says so again and again, and says goodbye when it ends; one that has done neither for as long as it asked
 * others to wait has died.
 *
 * Time is only what passes between heartbeats that Redis took. It stands still while Redis is away, full or standing still, so that no
 * worker is given up for a silence that was not its own.
 */
export interface Heartbeats {
  /** The worker lives, and is given up after a silence of `patienceMs`; to be said `BEATS` times in it. */
  beat(worker: string, patienceMs: number): Promise<void>;
  /** It ends, and holds nothing any more. */
  leave(worker: string): Promise<void>;
  /** To be asked by one that beats itself, or time does not go on. */
  fateOf(worker: string): Promise<Fate>;
}

export const BEATS = 6;
/** Heartbeats that may be missing of a worker that lives: they come late where it is busy. */
const LATE = 2;
/** A worker that died is forgotten after a week of time; what it held is charged to nobody then. */
const KEPT_MS = 7 * 24 * 3_600_000;

/** KEYS: beats, patience, clock. ARGV: worker, its patience, the longest step of the time, time kept. */
const beatScript = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local at, time = unpack(redis.call('HMGET', KEYS[3], 'at', 'time'))
local step = math.max(now - (tonumber(at) or now), 0)
time = string.format('%.0f', (tonumber(time) or 0) + math.min(step, ARGV[3]))
redis.call('HSET', KEYS[3], 'at', string.format('%.0f', now), 'time', time)
redis.call('ZADD', KEYS[1], time, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', time - ARGV[4])) do
  redis.call('ZREM', KEYS[1], gone)
  redis.call('HDEL', KEYS[2], gone)
end`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    clipfleetBeat(
      beats: string,
      patience: string,
      clock: string,
      worker: string,
      patienceMs: number,
      stepMs: number,
      keptMs: number,
    ): Result<null, Context>;
  }
}

export function createHeartbeats(redis: Redis, keys: Keys): Heartbeats {
  redis.defineCommand('clipfleetBeat', { numberOfKeys: 3, lua: beatScript });
  const [beats, patience, clock] = [keys.heartbeats(), keys.heartPatience(), keys.heartClock()];
  return {
    async beat(worker, patienceMs) {
      const stepMs = Math.ceil((LATE * patienceMs) / BEATS);
      await redis.clipfleetBeat(beats, patience, clock, worker, patienceMs, stepMs, KEPT_MS);
    },

    async leave(worker) {
      await redis.multi().zrem(beats, worker).hdel(patience, worker).exec();
    },

    async fateOf(worker) {
      const [at, asked, time] = await Promise.all([
        redis.zscore(beats, worker),
        redis.hget(patience, worker),
        redis.hget(clock, 'time'),
      ]);
      if (at === null) return { kind: 'left' };
      const patienceMs = Number(asked ?? 0);
      const silence = Number(time ?? 0) - Number(at);
      if (silence >= patienceMs) return { kind: 'dead' };
      if (silence <= (LATE * patienceMs) / BEATS) return { kind: 'lives' };
      return { kind: 'silent', waitMs: patienceMs - silence };
    },
  };
}
