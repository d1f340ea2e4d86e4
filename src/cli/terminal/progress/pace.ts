/** How fast a run gets on. */
export interface Pace {
  /** Over the last minute. */
  imagesPerSecond: number;
  /** Undefined where nobody can know: nothing has been done yet. */
  secondsLeft: number | undefined;
}

const WINDOW_MS = 60_000;
/** Between two samples that are kept, so that a minute takes 120 of them however often one asks. */
const SAMPLE_MS = 500;
/** In how many seconds the time left follows the rate: slower than the rate wavers, faster than the work changes. */
const FOLLOW_SECONDS = 10;

/**
 * Measures the pace of a run from its counts.
 *
 * The time left is counted down with the clock and drawn towards what the rate says, so that it neither jumps with every
 * batch nor stays behind a change for long.
 *
 * @param done rows there are already, which say nothing of the rate
 */
export function createPace(done: number, now: () => number = Date.now) {
  const samples = [{ at: now(), done }];
  let left: { at: number; seconds: number } | undefined;

  function rate(at: number, done: number): number {
    while (samples.length > 1 && samples[1]!.at <= at - WINDOW_MS) samples.shift();
    const since = samples[0]!;
    if (at - samples.at(-1)!.at >= SAMPLE_MS) samples.push({ at, done });
    return at > since.at ? Math.max(0, ((done - since.done) * 1_000) / (at - since.at)) : 0;
  }

  function follow(at: number, estimate: number): number {
    if (!left) return estimate;
    const passed = (at - left.at) / 1_000;
    // Not below what the rate says: a clock that runs while the work stands still would end at nothing left.
    const counted = Math.max(left.seconds - passed, Math.min(left.seconds, estimate));
    return counted + (estimate - counted) * Math.min(1, passed / FOLLOW_SECONDS);
  }

  return {
    update({ done, total }: { done: number; total: number }): Pace {
      const at = now();
      const imagesPerSecond = rate(at, done);
      if (done >= total) return { imagesPerSecond, secondsLeft: 0 };
      if (imagesPerSecond === 0) return { imagesPerSecond, secondsLeft: left?.seconds };
      const seconds = follow(at, (total - done) / imagesPerSecond);
      left = { at, seconds };
      return { imagesPerSecond, secondsLeft: seconds };
    },
  };
}
