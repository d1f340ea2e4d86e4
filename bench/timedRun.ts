import type { LabelSet } from '../src/shared/labels/labelSet.ts';
import type { ImageRef } from '../src/shared/refs/imageRef.ts';
import { enqueuePaused } from './pausedRun.ts';
import type { Queue, WorkerProcess } from './workers.ts';

export interface TimedRun {
  /** Images a second, by the clock described at `timeRun`. */
  rate: number;
  /** Milliseconds of a core that an image took of the worker, and of the Redis server. */
  workerMs: number;
  redisMs: number;
}

/**
 * A run through the worker, all of it enqueued before the worker may begin: the lane is paused meanwhile.
 *
 * The clock is Redis': it starts when the lane is resumed and stops when the last job completes, whose rows are stored then
 * and with which the run is complete. So the first images' way through an idle worker and the last ones' through an
 * emptying one are in it.
 */
export async function timeRun(
  queue: Queue,
  worker: WorkerProcess,
  labelSet: LabelSet,
  images: readonly ImageRef[],
  chunkSize = 32,
): Promise<TimedRun> {
  const paused = await enqueuePaused(queue, { model: worker.model, labelSet }, images, chunkSize);
  try {
    const worked = await worker.coreSeconds();
    const { ms, redisSeconds } = await paused.time();
    const workedSeconds = (await worker.coreSeconds()) - worked;
    await refuseFailures(queue, paused.run);
    return {
      rate: (images.length * 1000) / ms,
      workerMs: (workedSeconds * 1000) / images.length,
      redisMs: (redisSeconds * 1000) / images.length,
    };
  } finally {
    await paused.close();
  }
}

/** A run with failed images is no measurement. */
async function refuseFailures({ producer }: Queue, run: string): Promise<void> {
  const { failed } = await producer.progress(run);
  if (failed === 0) return;
  for await (const row of producer.rows(run))
    if (row.status === 'failed')
      throw new Error(`${failed} images failed; one of them: ${row.error.message}`);
}
