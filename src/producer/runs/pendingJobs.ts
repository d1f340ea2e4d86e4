import { setTimeout as delay } from 'node:timers/promises';
import type { Job, Queue } from 'bullmq';
import type { RunName } from '../../shared/birth.ts';
import { chunkOf, isBeyondSaving, jobId } from '../../shared/runs/chunkJob.ts';
import type { Pending, Runs } from '../../shared/runs/runs.ts';
import { together } from '../../shared/together.ts';

/** A pending piece of a run and its job. */
export interface PendingJob extends Pending {
  job: Job | undefined;
  /** There is no job that could be read, and nobody will ever finish it. */
  lost: boolean;
  /** There is none yet: the piece's producer lives, and is about to add it. */
  vouched: boolean;
}

/** Far longer than a producer that does not vouch for its chunks takes from announcing one to adding its job. */
const SECOND_LOOK_MS = 1_000;

/** A piece is looked for again when its producer's word has surely run out. */
const MARGIN_MS = 100;

/**
 * The pending pieces of a run, each with its job, and what is to become of those that have none.
 *
 * A chunk without a job was announced by a producer that was cut off before it added the job, or by one that is about to. Who is about
 * to vouches for it, until it is added. A worker may finish a piece while this looks. Hence the second look, after those words that were
 * heard at the first have run out, or were said again.
 */
export async function pendingJobs(run: string, lane: Queue, runs: Runs): Promise<PendingJob[]> {
  const first = await look(run, lane, runs);
  const jobless = new Map(first.flatMap((each) => (each.isJobless ? [[each.piece, each.vouchedMs]] : [])));
  if (jobless.size === 0) return first.map((each) => ({ ...each, lost: false, vouched: false }));
  const words = [...jobless.values()].map((ms) => ms + MARGIN_MS);
  await delay(Math.max(SECOND_LOOK_MS, ...words));
  const second = await look(run, lane, runs);
  return second.map((each) => {
    const isStill = each.isJobless && jobless.has(each.piece);
    return { ...each, lost: isStill && each.vouchedMs === 0, vouched: isStill && each.vouchedMs > 0 };
  });
}

/** The jobs there are of the run's pending pieces. */
export async function jobsPending(run: string, lane: Queue, runs: Runs): Promise<Job[]> {
  return (await look(run, lane, runs)).flatMap(({ job }) => job ?? []);
}

interface Looked extends Pending {
  job: Job | undefined;
  isJobless: boolean;
  vouchedMs: number;
}

async function look(run: string, lane: Queue, runs: Runs): Promise<Looked[]> {
  const [record, pending, originsOf] = await Promise.all([
    runs.get(run),
    runs.pending(run),
    runs.origins(run),
  ]);
  const pieces = new Set(pending.map(({ piece }) => piece));
  return together(pending, async (each) => {
    const job = await jobOf(record ?? run, each, lane);
    // A part is done with the piece that it was taken out of while that is pending, whether or not it got a job of its own.
    const chunk = chunkOf(each.piece);
    const isPart = each.piece !== String(chunk);
    const withOrigin = isPart && originsOf(each.piece).some((piece) => pieces.has(piece));
    const isJobless = (job === undefined || isBeyondSaving(job)) && !withOrigin;
    return { ...each, job, isJobless, vouchedMs: isJobless ? await runs.vouchedFor(run, chunk) : 0 };
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
