import type { Queue } from 'bullmq';
import type { ErrorCode } from '../../shared/errors.ts';
import { chunkJobOptions } from '../../shared/fleet/lanes.ts';
import { defaultOf } from '../../shared/options/config.ts';
import type { ImageRef } from '../../shared/refs/imageRef.ts';
import { encodeChunkJob, jobId } from '../../shared/runs/chunkJob.ts';
import type { Run } from '../../shared/runs/run.ts';
import type { RunState } from './runProgress.ts';
import { settlePending } from './settlePending.ts';

export interface RetryOptions {
  /** Only images that failed with one of these codes; all failed images when absent. */
  codes?: readonly ErrorCode[];
  /** Only images of these ids. */
  only?: ReadonlySet<string>;
  /** Images a job carries, 1 to 256. */
  chunkSize?: number;
  /** How often an image is tried when its error may pass. */
  attempts?: number;
}

/**
 * Adds the failed images of a run once more, in a later generation, whose rows win over the failed ones. Images that are
 * being tried again already are passed over. Resolves to the number of images added.
 *
 * The ids of what it adds are in memory: a page of rows may repeat some of an earlier one.
 */
export async function retryRun(
  { runs, store }: RunState,
  run: Run,
  lane: Queue,
  { codes, only, chunkSize = defaultOf('chunkSize'), attempts = defaultOf('attempts') }: RetryOptions,
): Promise<number> {
  const waiting = await settlePending(run.run, lane, runs);
  // An image with a failed row whose chunk waits for others is not tried again by that chunk.
  const passed = new Set([...waiting].flatMap(([id, generation]) => (generation > 0 ? id : [])));
  /** Chunks that fill up, by their generation. */
  const filling = new Map<number, ImageRef[]>();
  let added = 0;
  const add = async (generation: number, images: ImageRef[]) => {
    const chunk = await runs.reserveChunks(run.run, 1);
    await runs.announce(run.run, chunk, images.length, generation);
    const opts = chunkJobOptions(jobId(run.run, String(chunk), generation), attempts);
    await lane.add('chunk', encodeChunkJob(images), opts);
    added += images.length;
  };
  let cursor: string | undefined;
  do {
    const page = await store.getRows(run.run, cursor);
    for (const row of page.rows) {
      if (row.status !== 'failed' || passed.has(row.id)) continue;
      if (codes && !codes.includes(row.error.code)) continue;
      if (only && !only.has(row.id)) continue;
      passed.add(row.id);
      const generation = row.generation + 1;
      const images = [...(filling.get(generation) ?? []), { id: row.id, uri: row.uri }];
      filling.set(generation, images);
      if (images.length < chunkSize) continue;
      filling.delete(generation);
      await add(generation, images);
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  for (const [generation, images] of filling) await add(generation, images);
  return added;
}
