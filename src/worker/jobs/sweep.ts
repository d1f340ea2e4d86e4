import type { Job, Queue } from 'bullmq';
import { ClipfleetError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';
import type { ResultsStore } from '../../shared/rows/resultsStore.ts';
import { salvageChunk } from '../../shared/runs/chunkJob.ts';
import type { Runs } from '../../shared/runs/runs.ts';
import { failChunk } from './failChunk.ts';

/** Failed jobs read at a time. */
const PAGE_JOBS = 200;

/**
 * Writes the rows of jobs that BullMQ failed by itself.
 *
 * BullMQ fails a job that lost its worker too often without calling the processor, so no code of ours runs for it: its
 * images would be left without rows, and its run would never be complete. The job's data is still there to tell which.
 * A job that nothing can be saved of, or whose run nobody opened, stays in the failed set, for people to look at.
 */
export async function sweep(queue: Queue, context: SweepContext): Promise<void> {
  let left = 0;
  for (;;) {
    const failed = await queue.getFailed(left, left + PAGE_JOBS - 1);
    if (failed.length === 0) return;
    for (const job of failed) if (!(await sweepJob(job, context))) left++;
  }
}

interface SweepContext {
  store: ResultsStore;
  runs: Runs;
  log: Logger;
}

/** Whether the job could be turned into rows. */
async function sweepJob(job: Job, { store, runs, log }: SweepContext): Promise<boolean> {
  const chunk = salvageChunk(job);
  if (!chunk || !(await runs.get(chunk.run))) return false;
  const reason = job.failedReason || 'unknown';
  const error = new ClipfleetError('WORKER_LOST', `The job failed without an answer: ${reason}`);
  await failChunk({ store, runs }, chunk, error);
  await job.remove();
  log.warn({ run: chunk.run, chunk: chunk.chunk, images: chunk.images.length }, `swept: ${reason}`);
  return true;
}
