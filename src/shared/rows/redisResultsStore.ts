import type { ChainableCommander, Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { namedRun } from '../birth.ts';
import type { Keys } from '../redis/keys.ts';
import { pipelineOn, repliesOf } from '../redis/redisPipeline.ts';
import type { FoundRow, ResultsStore, RowPage } from './resultsStore.ts';
import type { Row } from './row.ts';
import { bucketOf, ROW_BUCKETS } from './rowBucket.ts';
import { byNumber, decodeRow, encodeRow, readHead, unlessNone } from './rowCodec.ts';
import { countRows, createCountsReader, replaceCounts, summed } from './rowCounts.ts';
import { groupBy, type Part, partsOf } from './rowParts.ts';
import { defineRowScripts } from './rowScripts.ts';

/** Fields a page of rows asks HSCAN for. */
const PAGE_FIELDS = 1_000;

/** The script's answer where the bucket is of no or another birth. */
const UNBORN = -1;
type Named = ReturnType<typeof namedRun>;

const buckets = Array.from({ length: ROW_BUCKETS }, (_, bucket) => bucket);

/** Rows that are beside the queue are in one place. */
export const redisStoreName = 'redis';

/** The default results store: rows as bytes in Redis hashes, beside the queue. */
export function createRedisResultsStore(redis: Redis, keys: Keys): ResultsStore {
  defineRowScripts(redis);
  // A bucket's first fingerprint has the number 0, and hardly any has a second: this is for those.
  const otherNumbers = new LRUCache<string, number>({ max: 10_000 });

  const keysOf = (run: string, bucket: number) =>
    [keys.rows(run, bucket), keys.counts(run, bucket), keys.fingerprints(run, bucket)] as const;

  /** Whether this birth is the run's. Its opener may have been cut off before it said so to each bucket. */
  async function isBorn({ run, birth }: Named): Promise<boolean> {
    const [bornAs, expiresAt] = await redis.hmget(keys.run(run), 'birth', 'expiresAt');
    if (bornAs !== birth) return false;
    await store.bear({ run, birth, ...(expiresAt && { expiresAt: Number(expiresAt) }) });
    return true;
  }

  /** Sends the parts, and resolves to those to be sent again: encoded with another number, which is known then. */
  async function send({ run, birth }: Named, parts: Part[]): Promise<Part[]> {
    const pipeline = pipelineOn(redis);
    const calls = redis.isCluster ? [...groupBy(parts, ({ bucket }) => bucket).values()] : [parts];
    const numberOf = ({ bucket, fingerprint }: Part) =>
      otherNumbers.get(nameOf(run, bucket, fingerprint)) ?? 0;
    for (const call of calls) addCall(pipeline, keys, { run, birth }, call, numberOf);
    const answers = await repliesOf<number[]>(pipeline);
    const isOurs = answers.some((answer) => answer.includes(UNBORN)) && (await isBorn({ run, birth }));
    return calls.flatMap((call, c) => {
      const again: Part[] = [];
      const answer = answers[c]!;
      for (let i = 0; i < answer.length; i += 2) {
        const part = call[answer[i]!]!;
        if (answer[i + 1] === UNBORN) {
          if (isOurs) again.push(part);
          continue;
        }
        otherNumbers.set(nameOf(run, part.bucket, part.fingerprint), answer[i + 1]!);
        again.push(part);
      }
      return again;
    });
  }

  const store: ResultsStore = {
    name: redisStoreName,
    address: 'Redis',

    async bear({ run, birth, expiresAt = '' }) {
      const pipeline = pipelineOn(redis);
      for (const bucket of buckets)
        pipeline.clipfleetBearRows(...keysOf(run, bucket), birth, String(expiresAt));
      await repliesOf(pipeline);
    },

    async putRows(of, rows) {
      let left = partsOf(rows);
      while (left.length > 0) left = await send(namedRun(of), left);
    },

    async getRows(run, cursor = '0.0'): Promise<RowPage> {
      const [bucket, scan] = cursor.split('.') as [string, string];
      const pipeline = pipelineOn(redis);
      pipeline.hscanBuffer(keys.rows(run, Number(bucket)), scan, 'COUNT', PAGE_FIELDS);
      // After the rows: each number they have was given before.
      pipeline.hgetall(keys.fingerprints(run, Number(bucket)));
      const [[next, fields], numbers] = (await repliesOf(pipeline)) as [
        [Buffer, Buffer[]],
        Record<string, string>,
      ];
      const fingerprints = byNumber(numbers);
      const rows: Row[] = [];
      const unreadable: string[] = [];
      for (let i = 0; i < fields.length; i += 2) {
        const id = String(fields[i]);
        const row = unlessNone(() => decodeRow(id, fields[i + 1]!, fingerprints));
        if (row) rows.push(row);
        else unreadable.push(id);
      }
      const following = Number(bucket) + 1;
      const nextBucket = following < ROW_BUCKETS ? `${following}.0` : undefined;
      return { rows, unreadable, cursor: String(next) === '0' ? nextBucket : `${bucket}.${next}` };
    },

    async getRow(run, id) {
      const bucket = bucketOf(id);
      const pipeline = pipelineOn(redis);
      pipeline.hgetBuffer(keys.rows(run, bucket), id);
      pipeline.hgetall(keys.fingerprints(run, bucket));
      const [row, numbers] = (await repliesOf(pipeline)) as [Buffer | null, Record<string, string>];
      return row === null ? undefined : decodeRow(id, row, byNumber(numbers));
    },

    counts: createCountsReader(redis, keys),

    async find(run, ids) {
      const groups = [...groupBy(ids, bucketOf)];
      const pipeline = pipelineOn(redis);
      for (const [bucket, members] of groups) pipeline.hmgetBuffer(keys.rows(run, bucket), ...members);
      const replies = await repliesOf<(Buffer | null)[]>(pipeline);
      const found = new Map<string, FoundRow>();
      groups.forEach(([, members], g) => {
        members.forEach((id, i) => {
          const row = replies[g]![i];
          const head = row && unlessNone(() => readHead(row));
          if (head) found.set(id, head);
        });
      });
      return found;
    },

    async refuse(run) {
      const pipeline = pipelineOn(redis);
      for (const bucket of buckets) pipeline.hset(keys.counts(run, bucket), 'refused', 1);
      await repliesOf(pipeline);
    },

    async recount(run, mend) {
      const stored = await store.counts(run);
      const counted: Record<string, string>[] = [];
      const unreadable: string[] = [];
      for (const bucket of buckets) {
        const found = await countRows(redis, keys.rows(run, bucket), keys.fingerprints(run, bucket));
        counted.push(found.counts);
        unreadable.push(...found.unreadable);
        if (!mend) continue;
        for (const id of found.unreadable) await redis.hdel(keys.rows(run, bucket), id);
        await replaceCounts(redis, keys.counts(run, bucket), found.counts);
      }
      return { stored, counted: summed(counted), unreadable };
    },

    async remove(run) {
      // One key a command: they may be on different nodes of a cluster.
      const pipeline = pipelineOn(redis);
      const all = buckets.flatMap((bucket) => keysOf(run, bucket));
      for (const key of all) pipeline.unlink(key);
      await repliesOf(pipeline);
    },

    // The connection is the queue's too, and its owner's to close.
    async close() {},
  };
  return store;
}

/**
 * Adds one call of the script with all the parts. Where Redis is a cluster they are of one bucket, because buckets are on different
 * nodes; elsewhere a chunk is one call, because each has its price.
 */
function addCall(
  pipeline: ChainableCommander,
  keys: Keys,
  { run, birth }: Named,
  parts: readonly Part[],
  numberOf: (part: Part) => number,
): void {
  const buckets = [...new Set(parts.map(({ bucket }) => bucket))];
  const args: (string | number | Buffer)[] = [birth];
  for (const part of parts) {
    const number = numberOf(part);
    args.push(buckets.indexOf(part.bucket) + 1, part.fingerprint, number, part.rows.length);
    for (const row of part.rows) args.push(row.id, encodeRow(row, number));
  }
  const touched = buckets.flatMap((bucket) =>
    [keys.rows, keys.counts, keys.fingerprints].map((key) => key(run, bucket)),
  );
  pipeline.clipfleetPutRows(touched.length, ...touched, ...args);
}

function nameOf(run: string, bucket: number, fingerprint: string): string {
  return `${run}.${bucket} ${fingerprint}`;
}
