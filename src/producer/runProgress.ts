import { setTimeout as delay } from 'node:timers/promises';
import type { ResultsStore } from '../shared/resultsStore.ts';
import { type Account, accountOf, type Run } from '../shared/run.ts';
import { unknownRun } from '../shared/runErrors.ts';
import type { Runs } from '../shared/runs.ts';

/** Where a run is: the account of its images, and what is made of it. */
export interface RunProgress extends Account, Pick<Run, 'state' | 'paused'> {
  /** Failed images by their error's code. */
  failures: Record<string, number>;
  /** Sealed, and every image has its row. */
  complete: boolean;
  /** Complete or cancelled: nothing more will happen. */
  ended: boolean;
}

export interface WaitOptions {
  /** Ends the waiting, not the run. */
  signal?: AbortSignal;
  /** Told where the run is, several times a second. */
  onProgress?: (progress: RunProgress) => void;
}

export interface RunState {
  runs: Runs;
  store: ResultsStore;
}

/**
 * How long to wait before asking again: a share of what was waited already, so that the answer to a small run comes no
 * more than so much late, and a long one costs few questions.
 */
const POLL_SHARE = 1 / 20;
const POLL_MS_MIN = 2;
const POLL_MS_MAX = 100;

/** Where the run is, from its ledger and its rows. @throws RUN_UNKNOWN */
export async function readProgress({ runs, store }: RunState, run: string): Promise<RunProgress> {
  // Rows before the ledger: so they are never ahead of it. But a complete run has all its rows, and those are read again.
  const [early, active] = await Promise.all([store.counts(run), runs.active(run)]);
  const record = await runs.get(run);
  if (!record) throw unknownRun(run);
  const { state, paused } = record;
  const complete = state === 'complete';
  const ended = complete || state === 'cancelled';
  const counts = ended ? await store.counts(run) : early;
  return { ...accountOf(record, counts, active), failures: counts.failures, state, paused, complete, ended };
}

/**
 * Resolves when the run is complete or cancelled, or the signal ends the waiting: `complete` and `ended` say which.
 *
 * @throws RUN_UNKNOWN
 */
export async function waitForRun(
  from: RunState,
  run: string,
  { signal, onProgress }: WaitOptions = {},
): Promise<RunProgress> {
  const startedAt = Date.now();
  for (;;) {
    const progress = await readProgress(from, run);
    onProgress?.(progress);
    if (progress.ended || signal?.aborted) return progress;
    await delay(Math.min(POLL_MS_MAX, Math.max(POLL_MS_MIN, (Date.now() - startedAt) * POLL_SHARE)));
  }
}
