import type { Queue } from 'bullmq';
import { salvageChunk } from '../../shared/runs/chunkJob.ts';
import type { Runs } from '../../shared/runs/runs.ts';
import { together } from '../../shared/together.ts';
import type { Settled } from './chunkSender.ts';
import { type PendingJob, pendingJobs } from './pendingJobs.ts';

/**
 * What earlier producers of the run left: the ids of images that wait in jobs, which need not be added again, with the
 * generation they wait in.
 *
 * A chunk that was announced and has no job would keep the run open for ever: its producer was cut off in between, and
 * its images come again from the source, or, of a later generation, from the failed rows. It is withdrawn, unless its producer lives:
 * `onSettled` is told.
 */
export async function settlePending(
  run: string,
  queue: Queue,
  runs: Runs,
  onSettled?: (settled: Settled) => void,
): Promise<Map<string, number>> {
  const waiting = new Map<string, number>();
  const pending = await pendingJobs(run, queue, runs);
  await together(pending, async ({ piece, generation, job, lost }) => {
    if (lost) await runs.withdraw(run, piece, 0);
    for (const { id } of (job && salvageChunk(job)?.images) ?? []) waiting.set(id, generation);
  });
  const settled = settledOf(pending);
  if (settled.withdrawn.length + settled.vouched.length > 0) onSettled?.(settled);
  return waiting;
}

/** The pieces without a job, by what becomes of them. */
export function settledOf(pending: readonly PendingJob[]): Settled {
  const named = (of: 'lost' | 'vouched') => pending.flatMap((each) => (each[of] ? each.piece : []));
  return { withdrawn: named('lost'), vouched: named('vouched') };
}
