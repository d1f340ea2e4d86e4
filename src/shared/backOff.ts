export interface BackOff {
  /** Another fault; resolves after a pause that grows with each in a row, or at once when the signal comes. */
  fault(error: unknown): Promise<void>;
  /** Something went well: the next fault is the first again. */
  recovered(): void;
}

export interface BackOffOptions {
  log: {
    warn(about: { err: unknown; faults: number }, message: string): void;
    info(about: { faults: number }, message: string): void;
  };
  /** What an error says to have failed, in words for the log. */
  whatFailed: (error: unknown) => string;
  /** Ends pauses. */
  signal: AbortSignal;
  /** Waits so many milliseconds, or until the signal; the clock's own when absent. */
  wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Epoch milliseconds. */
  now?: () => number;
}

/** The first pause in milliseconds; each one in a row is twice as long. */
const FIRST_MS = 250;
/** So that jobs are done again within seconds of what is around them being well. */
const LONGEST_MS = 5_000;
/** A fault that goes on is logged again after so long, with a count. */
const LOG_EVERY_MS = 60_000;

/**
 * How a process lets its surroundings come to themselves. Up to half of each pause is taken off by chance, so that those that
 * paused together do not come back together.
 */
export function createBackOff({
  log,
  whatFailed,
  signal,
  wait = waitOrEnd,
  now = Date.now,
}: BackOffOptions): BackOff {
  let inARow = 0;
  /** What failed since all went well, when that was said and how often it came since then. */
  const failing = new Map<string, { saidAt: number; unsaid: number }>();
  return {
    async fault(error) {
      const pauseMs = Math.min(FIRST_MS * 2 ** Math.min(inARow, 10), LONGEST_MS) * (1 - Math.random() / 2);
      inARow++;
      const what = whatFailed(error);
      const { saidAt, unsaid } = failing.get(what) ?? { saidAt: -Infinity, unsaid: 0 };
      const isSaid = now() - saidAt >= LOG_EVERY_MS;
      if (isSaid) log.warn({ err: error, faults: unsaid + 1 }, `backing off: ${what} failed`);
      failing.set(what, isSaid ? { saidAt: now(), unsaid: 0 } : { saidAt, unsaid: unsaid + 1 });
      await wait(pauseMs, signal);
    },

    recovered() {
      if (inARow === 0) return;
      log.info(
        { faults: inARow },
        `no longer backing off from failures of ${[...failing.keys()].join(' and ')}`,
      );
      inARow = 0;
      failing.clear();
    },
  };
}

function waitOrEnd(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
