import type { RunProgress } from '../../../producer/runs/runProgress.ts';
import { createProgress } from './progress.ts';

/** Between two looks at how many rows there are by now. */
const LOOK_MS = 1_000;

/** Shows how many of a run's rows were read, of a run that goes on too. @throws RUN_UNKNOWN */
export async function createExportProgress(
  { progress: look }: { progress: (run: string) => Promise<RunProgress> },
  run: string,
) {
  let at = await look(run);
  let lookedAt = Date.now();
  let stopped = false;
  const shown = createProgress();
  return {
    update(read: number): void {
      if (!at.ended && Date.now() - lookedAt >= LOOK_MS) {
        lookedAt = Date.now();
        // Late or lost, it is only the number beside the bar.
        look(run).then(
          (now) => {
            at = now;
          },
          () => {},
        );
      }
      const rows = { state: at.state, paused: undefined, active: 0, failed: 0, failures: {}, retrying: 0 };
      shown.update({ ...rows, done: read, expected: Math.max(read, at.ended ? at.done : at.expected) });
    },
    stop(): void {
      if (!stopped) shown.stop();
      stopped = true;
    },
  };
}
