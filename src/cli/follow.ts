import { type RunProgress, waitForRun } from '../producer/runProgress.ts';
import type { Progress } from './progress.ts';

/** Exit codes: all classified, could not run, some failed. */
export const exitCodes = { classified: 0, couldNotRun: 1, failed: 2, interrupted: 130 } as const;

/** Shows how the run gets on until it is complete, or the signal says to stop. */
export async function followRun(
  from: Parameters<typeof waitForRun>[0],
  run: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<RunProgress> {
  return waitForRun(from, run, { signal, onProgress: (counts) => progress.update(counts) });
}
