import { keysUnder } from '../src/shared/redis/keys.ts';
import { ROW_BUCKETS } from '../src/shared/rows/rowBucket.ts';
import { encodeRow } from '../src/shared/rows/rowCodec.ts';
import { defineRowScripts } from '../src/shared/rows/rowScripts.ts';
import { fingerprint, imageRefs, prefix, rowOf } from './fleetScene.ts';
import type { Queue } from './workers.ts';

/** Rows of a call, as many as a job has images by default. */
export const CALL_ROWS = 64;
/** Enough that the client never waits for Redis: more made it no faster. */
export const CALLS_UNDER_WAY = 16;

const keys = keysUnder(prefix);

/**
 * One client, in this process, that does nothing but store rows with the script that workers use. All rows of a call are of
 * one bucket, and encoded while the clock runs, as a worker's are.
 *
 * @returns rows a second
 */
export async function storeBarely({ redis }: Queue, count: number): Promise<number> {
  defineRowScripts(redis);
  await redis.flushall();
  const refs = [...imageRefs(count)];
  const rows = refs.map((ref, i) => rowOf(ref, Math.floor(i / CALL_ROWS), i % CALL_ROWS));
  const calls = Math.ceil(count / CALL_ROWS);
  const encode = (call: number) =>
    rows.slice(call * CALL_ROWS, (call + 1) * CALL_ROWS).flatMap((row) => [row.id, encodeRow(row, 0)]);

  const start = performance.now();
  let next = 0;
  const lane = async () => {
    for (let call = next++; call < calls; call = next++) {
      const bucket = call % ROW_BUCKETS;
      const touched = [keys.rows, keys.counts, keys.fingerprints].map((key) => key('bare', bucket));
      const fields = encode(call);
      await redis.clipfleetPutRows(3, ...touched, '', 1, fingerprint, 0, fields.length / 2, ...fields);
    }
  };
  await Promise.all(Array.from({ length: CALLS_UNDER_WAY }, lane));
  return (count * 1000) / (performance.now() - start);
}
