import { setTimeout as delay } from 'node:timers/promises';
import type { ResultsStore, RowCounts } from '../../shared/rows/resultsStore.ts';
import { type Account, accountOf, type Run } from '../../shared/runs/run.ts';
import { checkStore, unknownRun } from '../../shared/runs/runErrors.ts';
import type { Runs } from '../../shared/runs/runs.ts';
import { untilAborted } from '../../shared/untilAborted.ts';

/** Where a run is: the account of its images, and what is made of it. */
export interface RunProgress extends Account, Pick<Run, 'state' | 'paused' | 'labelSet'> {
  /** Images that have their row. */
  done: number;
  /** Failed images by their error's code. */
  failures: Record<string, number>;
  /** Sealed, and every image has its row. */
  complete: boolean;
  /** Complete or cancelled: nothing more will happen. */
  ended: boolean;
}

export interface WaitOptions {
  /** Ends the waiting, not the run: it rejects with the signal's reason at once, also where Redis does not answer. */
  signal?: AbortSignal;
  /** Told where the run is, several times a second. */
  onProgress?: (progress: RunProgress) => void;
}

export interface RunState {
  runs: Runs;
  store: ResultsStore;
}

/**
 * How long to wait before asking again: a twentieth of what was waited so far, so that an answer is at most that much late.
 * One image on an idle worker is done in milliseconds, and its user should not wait for a clock; a run of hours is
 * asked ten times a second.
 */
const POLL_SHARE = 1 / 20;
const POLL_MIN_MS = 2;
const POLL_MAX_MS = 100;

/**
 * Where the run is, from its rows and its ledger.
 *
 * @param known its record, where it was read just now
 * @throws RUN_UNKNOWN, STORE_MISMATCH
 */
export async function readProgress(
  { runs, store }: RunState,
  run: string,
  known?: Run,
): Promise<RunProgress> {
  let record = known ?? (await readLedger({ runs, store }, run));
  let before = record;
  let counts: RowCounts | undefined;
  let active = 0;
  if (!hasEnded(record)) {
    // Rows between two looks at the ledger: never ahead of the later, never behind the earlier.
    [counts, active] = await Promise.all([store.counts(run), runs.active(run)]);
    record = await readLedger({ runs, store }, run);
  }
  const { state, paused, labelSet } = record;
  const [complete, ended] = [state === 'complete', hasEnded(record)];
  // A run that has ended has all its rows, and the ledger does not move any more.
  if (ended || !counts) {
    counts = await store.counts(run);
    before = record;
  }
  const account = accountOf(record, counts, active, before);
  const done = account.classified + account.failed;
  return { ...account, done, failures: counts.failures, state, paused, labelSet, complete, ended };
}

/** The run's record. @throws RUN_UNKNOWN, STORE_MISMATCH where its rows are elsewhere */
export async function readLedger({ runs, store }: RunState, run: string): Promise<Run> {
  const record = await runs.get(run);
  if (!record) throw unknownRun(run);
  checkStore(record, store);
  return record;
}

function hasEnded({ state }: Run): boolean {
  return state === 'complete' || state === 'cancelled';
}

/**
 * Resolves when the run is complete or cancelled: `complete` says which.
 *
 * @throws RUN_UNKNOWN, and the signal's reason
 */
export function waitForRun(from: RunState, run: string, options: WaitOptions = {}): Promise<RunProgress> {
  return untilAborted(options.signal, () => lookUntilEnded(from, run, options));
}

async function lookUntilEnded(
  from: RunState,
  run: string,
  { signal, onProgress }: WaitOptions,
): Promise<RunProgress> {
  const startedAt = performance.now();
  for (;;) {
    // The ledger is one key and the counts are in many: they are read for somebody who looks, and at the end.
    if (onProgress || hasEnded(await readLedger(from, run))) {
      const progress = await readProgress(from, run);
      signal?.throwIfAborted();
      onProgress?.(progress);
      if (progress.ended) return progress;
    }
    const waited = performance.now() - startedAt;
    await delay(Math.min(Math.max(waited * POLL_SHARE, POLL_MIN_MS), POLL_MAX_MS));
    signal?.throwIfAborted();
  }
}
