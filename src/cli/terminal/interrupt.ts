import { say } from './screen.ts';

export interface Interrupt {
  signal: AbortSignal;
  /** Resolves at the first signal. */
  interrupted: Promise<void>;
  /** Gives the signals back to Node. */
  stop(): void;
}

/**
 * The first SIGINT or SIGTERM asks to drain, the second ends the process at once.
 *
 * Either way nothing is lost: rows are written before their job completes, and what has no row can be continued.
 *
 * @param beforeLeaving what the second one does before the process ends
 */
export function onInterrupt(sayWhatHappens: string, beforeLeaving?: () => void): Interrupt {
  const controller = new AbortController();
  const handle = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) {
      stop();
      beforeLeaving?.();
      dieOf(name);
      return;
    }
    say(`${name}: ${sayWhatHappens} Once more to leave at once.`);
    controller.abort(name);
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
  const stop = () => {
    process.off('SIGINT', handle);
    process.off('SIGTERM', handle);
  };
  const { signal } = controller;
  return {
    signal,
    interrupted: new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
    stop,
  };
}

/**
 * By the signal itself, whose default action is back: process.exit() would first take the session's thread apart, in the
 * middle of a run.
 */
function dieOf(name: NodeJS.Signals): void {
  // A progress bar has hidden the cursor.
  if (process.stderr.isTTY) process.stderr.write('\u001b[?25h\n');
  process.kill(process.pid, name);
}
