/** A pause between two turns that is longer says nothing of the queue: nothing was granted meanwhile. */
const GAP_MAX_MS = 1_000;
/** Longest guess of how long the queue at a host that answers is. */
const QUEUE_MS = 5_000;

/** Guesses how long a queue takes, from how it went so far. */
export function createQueuePace() {
  /** Mean time from one turn to the next while others wait. */
  let gapMs = 0;
  let lastTurnAt = performance.now();
  return {
    /** One had its turn. @param waiting how many wait */
    turn(waiting: number): void {
      const now = performance.now();
      if (waiting > 0) gapMs += (Math.min(now - lastTurnAt, GAP_MAX_MS) - gapMs) / 8;
      lastTurnAt = now;
    },
    /**
     * How long the next to come behind `waiting` others will wait, in ms. A queue goes on as it went, and one that has
     * stood still for long will stand for as long again.
     */
    waitMs(waiting: number): number {
      return Math.min(Math.max(gapMs * (waiting + 1), performance.now() - lastTurnAt), QUEUE_MS);
    },
  };
}
