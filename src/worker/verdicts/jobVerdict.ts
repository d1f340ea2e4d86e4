import type { ImageOutcome } from './imageOutcome.ts';
import type { CallBack } from './workInHand.ts';

/** The job goes back to its lane for a time, and no attempt of it is spent. */
export interface Postponed {
  kind: 'postponed';
  delayMs: number;
  /** Since when hosts have refused its images, for the job to remember; as it was when absent. */
  refusedSince?: number;
}

/** What becomes of a job after one delivery. */
export type JobVerdict =
  /** It leaves the lane: all its images have rows. */
  | { kind: 'done' }
  /** It leaves the lane: its run is cancelled, and images without a row stay so. */
  | { kind: 'cancelled' }
  /** It leaves the lane: its run is gone, and it is of no other. */
  | { kind: 'gone' }
  /** An attempt is spent, and the job comes back if one is left. */
  | { kind: 'again'; why: string; refusedSince?: number }
  | Postponed
  /** Postponed because its run is paused; whoever resumes the run brings it back. */
  | { kind: 'parked'; run: string }
  /** It goes to the failed set for people to look at, because nothing could write rows for it. */
  | { kind: 'refused'; why: string };

/** How long a job of a paused run stays away, in milliseconds, unless the run is resumed. */
export const PARKED_MS = 30_000;

/** A lane full of images of one host is not gone through more often than this. */
const SHORTEST_MS = 1_000;

/** The wait before an attempt, in milliseconds: 1 s, 2 s, 4 s, ..., of which up to half is taken off by chance. */
export function backoffStrategy(attemptsMade: number): number {
  return Math.round(1_000 * 2 ** (attemptsMade - 1) * (1 - Math.random() / 2));
}

export function postponed(delayMs: number): Postponed {
  return { kind: 'postponed', delayMs };
}

/** What is known of a job when all its images are settled. */
export interface SettledImages {
  run: string;
  outcomes: readonly ImageOutcome[];
  isLastAttempt: boolean;
  /** Why images were called back; undefined when none were. */
  calledBack: CallBack | undefined;
  /** Images given to other workers. */
  given: number;
  /** Whether another delivery of the job has divided or finished its chunk meanwhile. */
  isOvertaken: boolean;
  refusedSince: number;
  /** Epoch milliseconds. */
  now: number;
}

/**
 * What becomes of the job, of what became of its images. The first that applies:
 *
 *   overtaken   another delivery changed the chunk: the next one sees what is left to do;
 *   cancelled, parked   images did not begin because their run is cancelled or paused;
 *   again       images failed in a way that may pass, and an attempt is left;
 *   postponed   images wait for their host, until the soonest of them;
 *   done        every image has its row, or was given away.
 */
export function verdictOf(settled: SettledImages): JobVerdict {
  const { run, outcomes, isLastAttempt, calledBack, given, isOvertaken } = settled;
  if (isOvertaken) return postponed(0);
  const notBegun = outcomes.filter(({ kind }) => kind === 'calledBack').length - given;
  if (notBegun > 0) return calledBack === 'cancelled' ? { kind: 'cancelled' } : { kind: 'parked', run };
  const again = outcomes.filter((outcome) => outcome.kind === 'again');
  const waits = outcomes.filter((outcome) => outcome.kind === 'wait');
  const refusedSince = refusedSinceNow(settled);
  if (again.length > 0 && !isLastAttempt) {
    const first = again[0]!.row.error.message;
    return {
      kind: 'again',
      why: `${again.length} of ${outcomes.length} images to try again, the first: ${first}`,
      refusedSince,
    };
  }
  if (waits.length > 0) return { ...postponedUntil(waits.map(({ waitMs }) => waitMs)), refusedSince };
  return { kind: 'done' };
}

/**
 * Until the soonest of the hosts that images wait for, and a little longer, by chance, so that jobs that were postponed
 * together do not come back together.
 */
export function postponedUntil(waits: readonly number[]): Postponed {
  const soonest = Math.max(SHORTEST_MS, Math.min(...waits));
  return postponed(soonest * (1 + Math.random() / 10) + Math.random() * SHORTEST_MS);
}

/** The clock of refusals starts with the first, and anew when an image got its row in between. */
function refusedSinceNow({ outcomes, isLastAttempt, refusedSince, now }: SettledImages): number {
  const gotOn = outcomes.some(
    ({ kind }) => kind === 'classified' || kind === 'failed' || (kind === 'again' && isLastAttempt),
  );
  const isRefused = outcomes.some((outcome) => outcome.kind === 'wait' && outcome.refused);
  if (isRefused && (refusedSince === 0 || gotOn)) return now;
  return gotOn ? 0 : refusedSince;
}

/**
 * Whether hosts have refused images of the job themselves for longer than `patienceMs`, and let none of them through
 * since. It bounds what the state of the host does not: a host that always refuses one image and answers well to others.
 */
export function isOutOfPatience(refusedSince: number, now: number, patienceMs: number): boolean {
  return refusedSince > 0 && now - refusedSince > patienceMs;
}
