import type { Queue } from 'bullmq';
import type { ResultsStore } from '../../shared/rows/resultsStore.ts';
import { jobId, salvageChunk } from '../../shared/runs/chunkJob.ts';
import type { Runs } from '../../shared/runs/runs.ts';
import { together } from '../../shared/together.ts';

/**
 * Empties a run's own lane, whose only worker is gone, so that nothing waits for that worker's locks to run out. Images
 * that have their row stay counted in the run; the others are taken back, and come again from the source.
 */
export async function reclaimLane(
  run: string,
  lane: Queue,
  { runs, store }: { runs: Runs; store: ResultsStore },
): Promise<void> {
  await together(await runs.pending(run), async ({ piece, generation }) => {
    const job = await lane.getJob(jobId(run, piece, generation));
    const ids = (job && salvageChunk(job)?.images.map(({ id }) => id)) ?? [];
    // A chunk without a job was announced and never added: none of its images can have a row.
    const done = job ? (await store.find(run, ids)).size : 0;
    await runs.withdraw(run, piece, done);
  });
  await lane.obliterate({ force: true });
}
