import type { Redis } from 'ioredis';
import { ClipfleetError } from '../../shared/errors.ts';
import type { LabelSet } from '../../shared/labels/labelSet.ts';
import { readRedisMemory } from '../../shared/redis/redisMemory.ts';
import type { ImageRef } from '../../shared/refs/imageRef.ts';

/**
 * Bytes of Redis that a row takes beside its texts and predictions, and a waiting image beside its texts: upper ends of what
 * was measured (docs/benchmarks.md, "What Redis holds"), where a row of five predictions and an id of 9 characters takes up
 * to 120.
 */
const ROW_BYTES = 80;
const PREDICTION_BYTES = 6;
const WAITING_BYTES = 24;

export interface RoomOptions {
  redis: Redis;
  /** Absent of a run for vectors alone. */
  labelSet?: LabelSet | undefined;
  /** Images of the run that may wait at the same time. */
  highWater: number;
  /** Whether rows are kept in Redis. */
  rowsHere: boolean;
  /** Rows the run has already: they have their room. */
  rows: number;
}

/**
 * Refuses a run whose rows will not fit into what is left of Redis' `maxmemory`, before it starts: a Redis that is full
 * refuses rows of all runs. Reads the source once to its end for that, in constant memory, where there is a limit.
 *
 * @param open the source from its beginning, once more
 * @throws RUN_TOO_LARGE with the sum
 */
export async function refuseTooLarge(
  open: () => AsyncIterable<ImageRef>,
  { redis, labelSet, highWater, rows, rowsHere }: RoomOptions,
): Promise<void> {
  const { max: maxmemory, used } = await readRedisMemory(redis);
  if (maxmemory === 0) return;
  let images = 0;
  let texts = 0;
  for await (const { id, uri } of open()) {
    images++;
    texts += id.length + (uri === id ? 0 : uri.length);
  }
  if (images <= rows) return;
  const labels = labelSet?.labels.length ?? 0;
  const predictions = Math.min(labelSet?.topK ?? labels, labels);
  const textBytes = texts / images;
  const rowBytes = ROW_BYTES + PREDICTION_BYTES * predictions + textBytes;
  const [rowsToCome, waiting] = [rowsHere ? images - rows : 0, Math.min(images, highWater)];
  const needed = rowsToCome * rowBytes + waiting * (WAITING_BYTES + textBytes);
  const left = maxmemory - used;
  if (needed <= left) return;
  const count = (number: number) => Math.round(number).toLocaleString('en-US');
  throw new ClipfleetError(
    'RUN_TOO_LARGE',
    `Expected room for ${count(rowsToCome)} rows of about ${count(rowBytes)} bytes and ${count(waiting)} waiting images, ` +
      `${count(needed / 1e6)} MB together, but Redis has ${count(left / 1e6)} MB left of its maxmemory of ` +
      `${count(maxmemory / 1e6)} MB. Raise maxmemory, remove runs that are done (clipfleet runs, clipfleet rm RUN), ` +
      'keep fewer labels (--top-k), or split the run.',
  );
}
