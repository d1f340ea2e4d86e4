const WINDOW_MS = 60_000;
const SAMPLE_MS = 500;

/** The rate of a run over the last minute, from what this page has seen of it: undefined until there are two looks. */
export function createPace() {
  const samples = [];
  return {
    /** @returns images a second, and the seconds until `left` images are done; undefined where nobody can know */
    update(done, left, at = performance.now()) {
      while (samples.length > 1 && samples[1].at <= at - WINDOW_MS) samples.shift();
      if (samples.length === 0 || at - samples.at(-1).at >= SAMPLE_MS) samples.push({ at, done });
      const since = samples[0];
      if (at - since.at < SAMPLE_MS) return { imagesPerSecond: undefined, secondsLeft: undefined };
      const imagesPerSecond = Math.max(0, ((done - since.done) * 1_000) / (at - since.at));
      return { imagesPerSecond, secondsLeft: imagesPerSecond > 0 ? left / imagesPerSecond : undefined };
    },
  };
}
