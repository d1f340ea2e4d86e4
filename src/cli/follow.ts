import { setTimeout as delay } from 'node:timers/promises';
import type { ResultsStore } from '../shared/resultsStore.ts';
import type { Runs } from '../shared/runs.ts';
import { unknownRun } from '../shared/runs.ts';
import type { Progress, ProgressCounts } from './progress.ts';

/** Exit codes: all classified, could not run, some failed. */
export const exitCodes = { classified: 0, couldNotRun: 1, failed: 2, interrupted: 130 } as const;

const POLL_MS = 100;

/** Where the run is, from its ledger and its rows. */
export async function readProgress(
  { runs, store }: { runs: Runs; store: ResultsStore },
  run: string,
): Promise<ProgressCounts & { complete: boolean }> {
  const [record, counts] = await Promise.all([runs.get(run), store.counts(run)]);
  if (!record) throw unknownRun(run);
  const { classified, failed } = counts;
  const complete = record.state === 'complete';
  return { done: classified + failed, failed, total: record.images, open: record.state === 'open', complete };
}

/** Shows how the run gets on until it is complete, or the signal says to stop. */
export async function followRun(
  from: { runs: Runs; store: ResultsStore },
  run: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const counts = await readProgress(from, run);
    progress.update(counts);
    if (counts.complete || signal.aborted) return;
    await delay(POLL_MS);
  }
}
