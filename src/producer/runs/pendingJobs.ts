import { setTimeout as delay } from 'node:timers/promises';
import type { Job, Queue } from 'bullmq';
import type { RunName } from '../../shared/birth.ts';
import { chunkOf, isBeyondSaving, jobId } from '../../shared/runs/chunkJob.ts';
import type { Pending, Runs } from '../../shared/runs/runs.ts';
import { together } from '../../shared/together.ts';

/** A pending piece of a run and its job; one that is `lost` has none that could be read, and nobody will ever finish it. */
export interface PendingJob extends Pending {
  job: Job | undefined;
  lost: boolean;
}

/** Far longer than a producer takes from announcing a chunk to adding its job. */
const SECOND_LOOK_MS = 1_000;

/**
 * The pending pieces of a run, each with its job.
 *
 * A chunk without a job was announced by a producer that was cut off before it added the job. One that is alive does so
 * within a moment, and a worker may finish one while this looks: hence the second look.
 */
export async function pendingJobs(run: string, lane: Queue, runs: Runs): Promise<PendingJob[]> {
  const first = await look(run, lane, runs);
  if (first.every(({ lost }) => !lost)) return first;
  await delay(SECOND_LOOK_MS);
  const second = await look(run, lane, runs);
  const lostBefore = new Set(first.filter(({ lost }) => lost).map(({ piece }) => piece));
  return second.map((pending) => ({ ...pending, lost: pending.lost && lostBefore.has(pending.piece) }));
}

async function look(run: string, lane: Queue, runs: Runs): Promise<PendingJob[]> {
  const [record, pending, originsOf] = await Promise.all([
    runs.get(run),
    runs.pending(run),
    runs.origins(run),
  ]);
  const pieces = new Set(pending.map(({ piece }) => piece));
  return together(pending, async (each) => {
    const job = await jobOf(record ?? run, each, lane);
    // A part is done with the piece that it was taken out of while that is pending, whether or not it got a job of its own.
    const isPart = each.piece !== String(chunkOf(each.piece));
    const withOrigin = isPart && originsOf(each.piece).some((piece) => pieces.has(piece));
    const isUndoable = job === undefined || isBeyondSaving(job);
    return { ...each, job, lost: isUndoable && !withOrigin };
  });
}

/** The job of a pending piece: one that names the run's birth, or one of a producer that names none. */
export async function jobOf(
  run: RunName,
  { piece, generation }: Pick<Pending, 'piece' | 'generation'>,
  lane: Queue,
): Promise<Job | undefined> {
  const job = await lane.getJob(jobId(run, piece, generation));
  if (job || typeof run === 'string' || run.birth === undefined) return job;
  return lane.getJob(jobId(run.run, piece, generation));
}
