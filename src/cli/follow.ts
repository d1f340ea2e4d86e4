import { type RunProgress, waitForRun } from '../producer/runProgress.ts';
import type { Progress } from './progress.ts';

/** Exit codes: all classified, could not run, some failed. */
export const exitCodes = { classified: 0, couldNotRun: 1, failed: 2, interrupted: 130 } as const;

/** Shows how the run gets on until it has ended, or the signal says to stop. */
export async function followRun(
  from: Parameters<typeof waitForRun>[0],
  run: string,
  progress: Progress,
  { signal, bottleneck }: { signal?: AbortSignal; bottleneck?: () => string | undefined } = {},
): Promise<RunProgress> {
  const onProgress = (counts: RunProgress) => progress.update({ ...counts, bottleneck: bottleneck?.() });
  return waitForRun(from, run, { ...(signal && { signal }), onProgress });
}
