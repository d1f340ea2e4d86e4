import type { Redis } from 'ioredis';
import type { Keys } from '../../shared/redis/keys.ts';

/** What a run's end is told to, and how far that is. */
export interface WebhookRecord {
  url: string;
  /** Of the run. */
  birth: string;
  state: 'waiting' | 'delivered' | 'given up';
  /** Tries so far to tell this end. */
  attempts: number;
  /** Ends that were told before: a retry makes another. */
  round: number;
  /** Why the last try failed. */
  error?: string | undefined;
  /** When the run was found to have ended, ISO 8601. */
  endedAt?: string | undefined;
}

/**
 * KEYS: the webhooks. ARGV: most of them, and for how many milliseconds they are nobody else's. Those that are due, each to one that asks: it is due
 * again for others if nothing is heard of whoever got it.
 */
const claimScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
for _, run in ipairs(due) do redis.call('ZADD', KEYS[1], now + ARGV[2], run) end
return due`;

/** KEYS: the webhooks. ARGV: a run, and in how many milliseconds it is due. */
const dueScript = `
local time = redis.call('TIME')
redis.call('ZADD', KEYS[1], time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2], ARGV[1])`;

export function createWebhookRecords(redis: Redis, keys: Keys) {
  const due = (run: string, inMs: number) => redis.eval(dueScript, 1, keys.webhooks(), run, Math.round(inMs));

  return {
    /** The end of a run is to be told. */
    async add(run: string, birth: string, url: string): Promise<void> {
      const fresh = { url, birth, state: 'waiting', attempts: 0, round: 0 };
      await redis.multi().del(keys.webhook(run)).hset(keys.webhook(run), fresh).exec();
      await due(run, 0);
    },

    /** The run goes on: its next end is to be told too. Nothing where no end is. */
    async again(run: string): Promise<void> {
      if ((await redis.hexists(keys.webhook(run), 'url')) === 0) return;
      const key = keys.webhook(run);
      const fresh = { state: 'waiting', attempts: 0 };
      await redis.multi().hset(key, fresh).hdel(key, 'error', 'endedAt').hincrby(key, 'round', 1).exec();
      await due(run, 0);
    },

    async get(run: string): Promise<WebhookRecord | undefined> {
      const record = await redis.hgetall(keys.webhook(run));
      if (record.url === undefined) return undefined;
      const { url, birth = '', error, endedAt } = record;
      const state = record.state as WebhookRecord['state'];
      const counts = { attempts: Number(record.attempts), round: Number(record.round) };
      return { url, birth, state, ...counts, error, endedAt };
    },

    /** Runs whose turn it is, which are this gateway's for so long. */
    claim: async (most: number, forMs: number) =>
      (await redis.eval(claimScript, 1, keys.webhooks(), most, forMs)) as string[],

    due,

    async tell(run: string, facts: Partial<WebhookRecord>): Promise<void> {
      // A run may be removed meanwhile, and its webhook with it.
      if ((await redis.hexists(keys.webhook(run), 'url')) === 0) return;
      await redis.hset(keys.webhook(run), facts);
    },

    /** Nothing more is to be told of the run for now. */
    async done(run: string): Promise<void> {
      await redis.zrem(keys.webhooks(), run);
    },
  };
}

export type WebhookRecords = ReturnType<typeof createWebhookRecords>;
