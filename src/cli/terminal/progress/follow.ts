import { type RunProgress, waitForRun } from '../../../producer/runs/runProgress.ts';
import type { Progress } from './progress.ts';

/**
 * Shows how the run gets on until it has ended, or the signal says to stop. Resolves to where it was last, undefined where
 * nobody could see that.
 */
export async function followRun(
  from: Parameters<typeof waitForRun>[0],
  run: string,
  progress: Progress,
  { signal, bottleneck, untilPaused = false }: FollowOptions = {},
): Promise<RunProgress | undefined> {
  const paused = new AbortController();
  const signals = signal ? [signal, paused.signal] : [paused.signal];
  const either = AbortSignal.any(signals);
  let last: RunProgress | undefined;
  const onProgress = (counts: RunProgress) => {
    last = counts;
    progress.update({ ...counts, bottleneck: bottleneck?.() });
    if (untilPaused && counts.paused !== undefined) paused.abort();
  };
  try {
    return await waitForRun(from, run, { signal: either, onProgress });
  } catch (error) {
    if (!either.aborted) throw error;
    return last;
  }
}

export interface FollowOptions {
  /** Ends the following, not the run. */
  signal?: AbortSignal;
  /** What holds the workers up, as of now. */
  bottleneck?: () => string | undefined;
  /** Ends it too where the run is paused. */
  untilPaused?: boolean;
}
