import type { Redis } from 'ioredis';
import { z } from 'zod';
import { jsonIn } from '../jsonIn.ts';
import type { Keys } from '../redis/keys.ts';
import { readingKey } from '../redis/wrongType.ts';
import { modelKey } from './modelIdentity.ts';

/** What a worker does with an image, in this order. `wait` is for its batch's turn, `inference` its batch in the session. */
export const stages = ['fetch', 'decode', 'wait', 'inference', 'score', 'store'] as const;

export type Stage = (typeof stages)[number];

/** One stage over a window. */
export interface StageTime {
  /** Images that came through. */
  images: number;
  /** Time such an image spent in the stage. */
  meanMs: number;
  /** Share of the window in which at least one image was in the stage, 0 to 1. */
  busy: number;
  /** Images in the stage at the same time, on average. */
  atOnce: number;
}

export type Bottleneck = 'session' | 'decode' | 'score' | 'event loop' | 'fetch' | 'store' | 'idle';

/** What a worker did in a window. */
export interface WorkReport {
  windowMs: number;
  /** Images that came through the session. */
  images: number;
  imagesPerSecond: number;
  batches: number;
  /** Images in a batch, of those that fit; 0 where there was no batch. */
  fill: number;
  /** Share of the window in which the main thread was at work, 0 to 1. */
  eventLoop: number;
  bottleneck: Bottleneck;
  stages: Record<Stage, StageTime>;
}

/** What a worker is at now, and what came of it last. Absent where an older version wrote the record. */
export interface RecentWork {
  /** Clipfleet's version. */
  version: string;
  /** When it began to take jobs, ISO 8601, as the other times. */
  startedAt: string;
  /** Images in one of its stages now. */
  inHand: number;
  lastBatch?: { at: string; images: number };
  /** Of its log, at level error or above, or of an image that failed; `code` is an image's. */
  lastError?: { at: string; code?: string; message: string };
}

/** A worker that serves a model now, and what it did last. */
export interface ServingWorker extends WorkReport, Partial<RecentWork> {
  /** Unique to the process. */
  worker: string;
  host: string;
  pid: number;
  /** Identity of the model, `name@revision:dtype`. */
  model: string;
  device: string;
  /** Its roots: name → directory on its host. Absent where an older version wrote the record. */
  roots?: Record<string, string>;
  /** When the window ended, ISO 8601. */
  at: string;
}

/** A worker that ended without a word is forgotten by name after this; its record is gone much earlier. */
const NAMES_KEPT_MS = 24 * 3_600_000;

/** Says what a worker did; the record vanishes after `expiresMs` unless it is said again. */
export async function reportServing(
  redis: Redis,
  keys: Keys,
  record: ServingWorker,
  expiresMs: number,
): Promise<void> {
  const key = modelKey(record.model);
  const names = keys.workers(key);
  const said = await redis
    .multi()
    .set(keys.worker(key, record.worker), JSON.stringify(record), 'PX', expiresMs)
    .zadd(names, Date.now(), record.worker)
    .zremrangebyscore(names, '-inf', String(Date.now() - NAMES_KEPT_MS))
    .pexpire(names, NAMES_KEPT_MS)
    .exec();
  for (const [error] of said ?? []) if (error) await readingKey(names, () => Promise.reject(error));
}

/** Takes a worker that ends from the list. */
export async function forgetServing(
  redis: Redis,
  keys: Keys,
  { model, worker }: ServingWorker,
): Promise<void> {
  const key = modelKey(model);
  await redis.multi().del(keys.worker(key, worker)).zrem(keys.workers(key), worker).exec();
}

/** Of a record what is shown of each worker; one of another version may lack it. */
const recordSchema = z.looseObject({
  ...{ worker: z.string(), host: z.string(), pid: z.number(), model: z.string(), device: z.string() },
  ...{ imagesPerSecond: z.number(), batches: z.number(), fill: z.number(), bottleneck: z.string() },
  ...{ version: z.string().optional(), startedAt: z.string().optional(), inHand: z.number().optional() },
  lastBatch: z.looseObject({ at: z.string(), images: z.number() }).optional(),
  lastError: z.looseObject({ at: z.string(), code: z.string().optional(), message: z.string() }).optional(),
  stages: z.record(z.enum(stages), z.looseObject({ images: z.number(), meanMs: z.number() })),
});

/** The workers that serve a model now, by host and process. One whose record cannot be read is left out, and `onUnreadable` told. */
export async function listServing(
  redis: Redis,
  keys: Keys,
  model: string,
  onUnreadable?: (worker: string) => void,
): Promise<ServingWorker[]> {
  const key = modelKey(model);
  const names = await readingKey(keys.workers(key), () => redis.zrange(keys.workers(key), '0', '-1'));
  if (names.length === 0) return [];
  const records = await redis.mget(names.map((name) => keys.worker(key, name)));
  return records
    .flatMap((text, i) => {
      if (text === null) return [];
      const record = recordSchema.safeParse(jsonIn(text));
      if (record.success) return [record.data as unknown as ServingWorker];
      onUnreadable?.(names[i]!);
      return [];
    })
    .sort((a, b) => (a.host === b.host ? a.pid - b.pid : a.host < b.host ? -1 : 1));
}
