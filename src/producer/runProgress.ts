import { setTimeout as delay } from 'node:timers/promises';
import type { ResultsStore } from '../shared/resultsStore.ts';
import { type Run, type Runs, unknownRun } from '../shared/runs.ts';

/** Where a run is. */
export interface RunProgress {
  /** Images that have their row. */
  done: number;
  failed: number;
  /** Images announced so far. */
  total: number;
  /** Whether the total may still grow. */
  open: boolean;
  /** Sealed, and every image has its row. */
  complete: boolean;
}

export interface WaitOptions {
  /** Ends the waiting, not the run. */
  signal?: AbortSignal;
  /** Told where the run is, several times a second. */
  onProgress?: (progress: RunProgress) => void;
}

interface RunState {
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

/** Where the run is, from its ledger and its rows. @throws RUN_UNKNOWN */
export async function readProgress(from: RunState, run: string): Promise<RunProgress> {
  // The ledger first: rows are written before their chunk is finished, so that a complete run has all its counts.
  const record = await readLedger(from, run);
  return withCounts(from, record);
}

async function readLedger({ runs }: RunState, run: string): Promise<Run> {
  const record = await runs.get(run);
  if (!record) throw unknownRun(run);
  return record;
}

async function withCounts({ store }: RunState, { run, images, state }: Run): Promise<RunProgress> {
  const { classified, failed } = await store.counts(run);
  const done = classified + failed;
  return { done, failed, total: images, open: state === 'open', complete: state === 'complete' };
}

/** Resolves when the run is complete or the signal ends the waiting: `complete` says which. @throws RUN_UNKNOWN */
export async function waitForRun(
  from: RunState,
  run: string,
  { signal, onProgress }: WaitOptions = {},
): Promise<RunProgress> {
  const startedAt = performance.now();
  for (;;) {
    const record = await readLedger(from, run);
    const ends = record.state === 'complete' || signal?.aborted;
    // The ledger is one key and the counts are in many: they are read for somebody who looks, and at the end.
    if (ends || onProgress) {
      const progress = await withCounts(from, record);
      onProgress?.(progress);
      if (ends) return progress;
    }
    const waited = performance.now() - startedAt;
    await delay(Math.min(Math.max(waited * POLL_SHARE, POLL_MIN_MS), POLL_MAX_MS));
  }
}
