import type { Redis } from 'ioredis';
import type { Keys } from '../redis/keys.ts';
import { pipelineOn } from '../redis/redisPipeline.ts';
import type { RowCounts } from './resultsStore.ts';
import { ROW_BUCKETS } from './rowBucket.ts';
import { byNumber, decodeRow, statusOf, unlessNone } from './rowCodec.ts';

/** Fields that are counts of rows; beside them the hash says whether rows are refused. */
const isCount = (field: string) => field === 'classified' || field.startsWith('failed:');

/** The counts of several buckets as those of their run. */
export function summed(buckets: readonly Record<string, string>[]): RowCounts {
  const counts: RowCounts = { classified: 0, failed: 0, failures: {} };
  for (const [field, text] of buckets.flatMap((bucket) => Object.entries(bucket))) {
    const rows = Number(text);
    if (!isCount(field) || rows === 0) continue;
    if (field === 'classified') {
      counts.classified += rows;
      continue;
    }
    const code = field.slice('failed:'.length);
    counts.failed += rows;
    counts.failures[code] = (counts.failures[code] ?? 0) + rows;
  }
  return counts;
}

interface Asked {
  run: string;
  resolve(counts: RowCounts): void;
  reject(error: unknown): void;
}

/**
 * Reads the counts of runs. Those that are asked for in one turn go together: a pipeline for each of a thousand runs takes Node.js longer than
 * the counts take Redis.
 */
export function createCountsReader(redis: Redis, keys: Keys): (run: string) => Promise<RowCounts> {
  let asked: Asked[] = [];

  async function readAll(all: readonly Asked[]): Promise<void> {
    const pipeline = pipelineOn(redis);
    for (const { run } of all)
      for (let bucket = 0; bucket < ROW_BUCKETS; bucket++) pipeline.hgetall(keys.counts(run, bucket));
    const replies = (await pipeline.exec()) ?? [];
    all.forEach(({ resolve, reject }, i) => {
      const own = replies.slice(i * ROW_BUCKETS, (i + 1) * ROW_BUCKETS);
      // One run that cannot be read holds up no other.
      const failed = own.find(([error]) => error);
      if (failed) reject(failed[0]);
      else resolve(summed(own.map(([, fields]) => fields as Record<string, string>)));
    });
  }

  function flush(): void {
    const all = asked;
    asked = [];
    readAll(all).catch((error) => {
      for (const { reject } of all) reject(error);
    });
  }

  return (run) =>
    new Promise((resolve, reject) => {
      asked.push({ run, resolve, reject });
      if (asked.length === 1) queueMicrotask(flush);
    });
}

/** The rows of a bucket, counted as the script counts them, and the ids under which there is something that is no row. */
export async function countRows(
  redis: Redis,
  key: string,
  fingerprintsKey: string,
): Promise<{ counts: Record<string, string>; unreadable: string[] }> {
  const fingerprints = byNumber(await redis.hgetall(fingerprintsKey));
  const unreadable: string[] = [];
  // While the hash is not written to, HSCAN may give a field twice only when the hash shrinks, which it never does.
  const counts: Record<string, number> = {};
  let cursor = '0';
  do {
    const [next, fields] = await redis.hscanBuffer(key, cursor, 'COUNT', 1_000);
    for (let i = 0; i < fields.length; i += 2) {
      const id = String(fields[i]);
      const row = unlessNone(() => decodeRow(id, fields[i + 1]!, fingerprints));
      if (!row) {
        unreadable.push(id);
        continue;
      }
      const status = statusOf(row);
      counts[status] = (counts[status] ?? 0) + 1;
    }
    cursor = String(next);
  } while (cursor !== '0');
  const texts = Object.entries(counts).map(([status, rows]) => [status, String(rows)]);
  return { counts: Object.fromEntries(texts), unreadable };
}

/** Makes the counts of a bucket those given. */
export async function replaceCounts(
  redis: Redis,
  key: string,
  counts: Record<string, string>,
): Promise<void> {
  const stale = (await redis.hkeys(key)).filter((field) => isCount(field) && counts[field] === undefined);
  const transaction = redis.multi();
  if (stale.length > 0) transaction.hdel(key, ...stale);
  if (Object.keys(counts).length > 0) transaction.hset(key, counts);
  await transaction.exec();
}
