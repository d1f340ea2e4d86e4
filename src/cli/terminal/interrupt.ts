import { dieOf, endAfter } from '../setup/leave.ts';
import { say } from './screen.ts';

export interface Interrupt {
  signal: AbortSignal;
  /** Resolves at the first signal. */
  interrupted: Promise<void>;
  /** Gives the signals back to Node. */
  stop(): void;
}

export interface InterruptOptions {
  /** How long the process may live after the first signal. */
  graceMs: number;
  /** What is done before the process ends by the signal. */
  beforeLeaving?: () => void;
}

/**
 * The first SIGINT or SIGTERM asks to drain; the second ends the process at once, and so does the end of the grace time,
 * whatever the process waits for.
 *
 * Either way nothing is lost: rows are written before their job completes, and what has no row can be continued.
 */
export function onInterrupt(sayWhatHappens: string, { graceMs, beforeLeaving }: InterruptOptions): Interrupt {
  const controller = new AbortController();
  const handle = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) {
      beforeLeaving?.();
      dieOf(name);
      return;
    }
    say(`${name}: ${sayWhatHappens} Once more to leave at once.`);
    endAfter(graceMs, name, beforeLeaving);
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

/** Does work that rejects when the signal is aborted; resolves to whether it came to its end. */
export async function unlessInterrupted(signal: AbortSignal, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!signal.aborted) throw error;
    return false;
  }
}
