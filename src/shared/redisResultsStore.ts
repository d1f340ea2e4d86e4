import { createHash } from 'node:crypto';
import type { Redis, Result } from 'ioredis';
import { WIRE_VERSION } from './chunkJob.ts';
import type { Keys } from './keys.ts';
import type { ResultsStore, RowCounts, RowPage } from './resultsStore.ts';
import type { Row } from './row.ts';

/**
 * The rows of a run spread over this many hashes, each with a hash tag of its own, so that one large run uses all nodes
 * of a cluster and no single hash grows with the whole run. Part of the wire format: readers walk all of them.
 */
export const ROW_BUCKETS = 16;

/** Fields a page of rows asks HSCAN for. */
const PAGE_FIELDS = 1_000;

/**
 * KEYS: the bucket's rows, its counts. ARGV: image id, rank, row, again for each row.
 * The rank is `generation` in four digits and `1` for classified or `0` for failed: a row is replaced by one of a
 * higher rank only, compared as text. Counts move with the rows they count, in the same script: never ahead of them,
 * never twice.
 */
const putRowsScript = `
for i = 1, #ARGV, 3 do
  local id, rank = ARGV[i], ARGV[i + 1]
  local old = redis.call('HGET', KEYS[1], id)
  local oldRank = old and string.sub(old, 1, 5)
  if not old or rank > oldRank then
    redis.call('HSET', KEYS[1], id, rank .. ARGV[i + 2])
    local status = string.sub(rank, 5, 5) == '1' and 'classified' or 'failed'
    redis.call('HINCRBY', KEYS[2], status, 1)
    if old then
      local oldStatus = string.sub(oldRank, 5, 5) == '1' and 'classified' or 'failed'
      redis.call('HINCRBY', KEYS[2], oldStatus, -1)
    end
  end
end`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    clipfleetPutRows(rows: string, counts: string, ...args: string[]): Result<null, Context>;
  }
}

/** The default results store: rows as JSON in Redis hashes, beside the queue. */
export function createRedisResultsStore(redis: Redis, keys: Keys): ResultsStore {
  redis.defineCommand('clipfleetPutRows', { numberOfKeys: 2, lua: putRowsScript });
  return {
    async putRows(run, rows) {
      const pipeline = redis.pipeline();
      for (const [bucket, members] of groupByBucket(rows, (row) => row.id)) {
        const args = members.flatMap((row) => [row.id, rankOf(row), encodeRow(row)]);
        pipeline.clipfleetPutRows(keys.rows(run, bucket), keys.counts(run, bucket), ...args);
      }
      await all(pipeline.exec());
    },

    async getRows(run, cursor = '0.0'): Promise<RowPage> {
      const [bucket, scan] = cursor.split('.') as [string, string];
      const [next, fields] = await redis.hscan(keys.rows(run, Number(bucket)), scan, 'COUNT', PAGE_FIELDS);
      const rows: Row[] = [];
      for (let i = 0; i < fields.length; i += 2) rows.push(decodeRow(fields[i]!, fields[i + 1]!));
      if (next !== '0') return { rows, cursor: `${bucket}.${next}` };
      const following = Number(bucket) + 1;
      return { rows, cursor: following < ROW_BUCKETS ? `${following}.0` : undefined };
    },

    async counts(run): Promise<RowCounts> {
      const pipeline = redis.pipeline();
      for (let bucket = 0; bucket < ROW_BUCKETS; bucket++) {
        pipeline.hmget(keys.counts(run, bucket), 'classified', 'failed');
      }
      const replies = (await all(pipeline.exec())) as [string | null, string | null][];
      const sum = (index: 0 | 1) => replies.reduce((total, reply) => total + Number(reply[index] ?? 0), 0);
      return { classified: sum(0), failed: sum(1) };
    },

    async has(run, ids, generation) {
      const buckets = [...groupByBucket(ids, (id) => id)];
      const pipeline = redis.pipeline();
      for (const [bucket, members] of buckets) pipeline.hmget(keys.rows(run, bucket), ...members);
      const replies = (await all(pipeline.exec())) as (string | null)[][];
      const found = new Set<string>();
      buckets.forEach(([, members], b) => {
        members.forEach((id, i) => {
          const row = replies[b]![i];
          if (row != null && Number(row.slice(0, 4)) >= generation) found.add(id);
        });
      });
      return found;
    },
  };
}

/** Part of the wire format: the first byte of the id's SHA-256, modulo ROW_BUCKETS. */
function bucketOf(id: string): number {
  return createHash('sha256').update(id).digest()[0]! % ROW_BUCKETS;
}

function groupByBucket<T>(items: readonly T[], idOf: (item: T) => string): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const bucket = bucketOf(idOf(item));
    const group = groups.get(bucket);
    if (group) group.push(item);
    else groups.set(bucket, [item]);
  }
  return groups;
}

function rankOf(row: Row): string {
  return String(row.generation).padStart(4, '0') + (row.status === 'classified' ? '1' : '0');
}

function encodeRow(row: Row): string {
  const { id: _, generation: __, ...stored } = row;
  return JSON.stringify({ v: WIRE_VERSION, ...stored });
}

function decodeRow(id: string, stored: string): Row {
  const { v: _, ...row } = JSON.parse(stored.slice(5));
  return { id, generation: Number(stored.slice(0, 4)), ...row };
}

/** A pipeline's replies; its first error, if a command failed: ioredis itself reports them one by one and never rejects. */
async function all(exec: Promise<[Error | null, unknown][] | null>): Promise<unknown[]> {
  const replies = (await exec) ?? [];
  for (const [error] of replies) if (error) throw error;
  return replies.map(([, reply]) => reply);
}
