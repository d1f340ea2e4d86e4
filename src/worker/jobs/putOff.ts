import type { Job } from 'bullmq';

/** The job goes back to its lane for a time, and no attempt of it is spent. */
export class PutOff extends Error {
  readonly delayMs: number;

  constructor(delayMs: number) {
    super(`put off for ${Math.ceil(delayMs)} ms`);
    this.delayMs = delayMs;
  }
}

/** How long a job of a paused run stays away, unless the run is resumed. */
const PARKED_MS = 30_000;

/** The job is put off because its run is paused. */
export class Parked extends PutOff {
  readonly run: string;

  constructor(run: string) {
    super(PARKED_MS);
    this.run = run;
  }
}

/** A lane full of images of one host is not gone through more often than this. */
const SHORTEST_MS = 1_000;

/**
 * Until the soonest of the hosts that images wait for, and a little longer, by chance, so that jobs that were put off
 * together do not come back together.
 */
export function putOffUntil(waits: readonly number[]): PutOff {
  const soonest = Math.max(SHORTEST_MS, Math.min(...waits));
  return new PutOff(soonest * (1 + Math.random() / 10) + Math.random() * SHORTEST_MS);
}

/**
 * Whether hosts have refused images of the job themselves for longer than `patienceMs`, and let none of them through
 * since. It bounds what the state of the host does not: a host that always refuses one image and answers well to others.
 */
export function isOutOfPatience(job: Job, patienceMs: number): boolean {
  const since = refusedSince(job);
  return since > 0 && Date.now() - since > patienceMs;
}

/** Remembers since when, in the job, which has no other memory of what became of its images in earlier deliveries. */
export async function noteRefusals(job: Job, isRefused: boolean, gotOn: boolean): Promise<void> {
  const since = refusedSince(job);
  if (isRefused && (since === 0 || gotOn)) await job.updateProgress(Date.now());
  else if (gotOn && since > 0) await job.updateProgress(0);
}

function refusedSince({ progress }: Job): number {
  return typeof progress === 'number' ? progress : 0;
}
