import type { Queue } from 'bullmq';
import type { ErrorCode } from '../../shared/errors.ts';
import type { ImageRef } from '../../shared/refs/imageRef.ts';
import type { Row } from '../../shared/rows/row.ts';
import type { Run } from '../../shared/runs/run.ts';
import { createChunkSender, type SendOptions, sendDefaults } from './chunkSender.ts';
import type { RunState } from './runProgress.ts';
import { settlePending } from './settlePending.ts';

export interface RetryOptions extends SendOptions {
  /** Only images that failed with one of these codes; all failed images when absent. */
  codes?: readonly ErrorCode[];
  /** Which rows' images are tried again, whatever became of them; the failed ones when absent. */
  wanted?: (row: Row) => boolean | Promise<boolean>;
  /** Only images of these ids. */
  only?: ReadonlySet<string>;
}

/**
 * Adds the failed images of a run once more, or those that are wanted, in a later generation, whose rows win. Images that are
 * being tried again already are passed over. Resolves to the number of images added.
 *
 * The ids of what it adds are in memory: a page of rows may repeat some of an earlier one.
 */
export async function retryRun(
  { runs, store }: RunState,
  run: Run,
  lane: Queue,
  options: RetryOptions,
): Promise<number> {
  const { codes, only, chunkSize = sendDefaults.chunkSize, signal } = options;
  const hasFailed = (row: Row) => row.status === 'failed' && (codes?.includes(row.error.code) ?? true);
  const { wanted = hasFailed } = options;
  const waiting = await settlePending(run.run, lane, runs, options.onSettled);
  // An image with a failed row whose chunk waits for others is not tried again by that chunk.
  const passed = new Set([...waiting].flatMap(([id, generation]) => (generation > 0 ? id : [])));
  /** Chunks that fill up, by their generation. */
  const filling = new Map<number, ImageRef[]>();
  const sender = createChunkSender(run, { ...options, lane, runs });
  let cursor: string | undefined;
  do {
    signal?.throwIfAborted();
    const page = await store.getRows(run.run, cursor);
    const isWanted = await Promise.all(page.rows.map(wanted));
    for (const row of page.rows.filter((_, i) => isWanted[i])) {
      if (passed.has(row.id) || (only && !only.has(row.id))) continue;
      passed.add(row.id);
      const generation = row.generation + 1;
      const images = [...(filling.get(generation) ?? []), { id: row.id, uri: row.uri }];
      filling.set(generation, images);
      if (images.length < chunkSize) continue;
      filling.delete(generation);
      await sender.send({ images, generation });
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  for (const [generation, images] of filling) await sender.send({ images, generation });
  return sender.finish();
}
