import type { Queue } from 'bullmq';
import { salvageChunk } from '../../shared/runs/chunkJob.ts';
import type { Runs } from '../../shared/runs/runs.ts';
import { together } from '../../shared/together.ts';
import { pendingJobs } from './pendingJobs.ts';

/**
 * What an earlier producer of the run left: the ids of images that wait in jobs, which need not be added again, with the
 * generation they wait in.
 *
 * A chunk that was announced and has no job would keep the run open for ever: its producer was cut off in between, and
 * its images come again from the source, or, of a later generation, from the failed rows. It is withdrawn.
 */
export async function settlePending(run: string, queue: Queue, runs: Runs): Promise<Map<string, number>> {
  const waiting = new Map<string, number>();
  await together(await pendingJobs(run, queue, runs), async ({ piece, generation, job, lost }) => {
    if (lost) await runs.withdraw(run, piece, 0);
    for (const { id } of (job && salvageChunk(job)?.images) ?? []) waiting.set(id, generation);
  });
  return waiting;
}
