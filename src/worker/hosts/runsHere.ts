/** How long an image that was told to wait may need to come back, besides its wait. */
const BACK_MS = 5_000;
/** More runs at one host are not told apart: the record says whose turn it is of these. */
const RUNS_MAX = 32;

/** The runs whose images want to ask a host: those that came lately, and may be waiting elsewhere now. */
export function createRunsHere() {
  const untilWhen = new Map<string, number>();
  return {
    /** An image of the run is here. @param waitMs how long it may be told to wait */
    add(run: string, waitMs: number): void {
      // The oldest goes when there are too many.
      untilWhen.delete(run);
      untilWhen.set(run, performance.now() + 1.2 * waitMs + BACK_MS);
      if (untilWhen.size > RUNS_MAX) untilWhen.delete(untilWhen.keys().next().value!);
    },
    here(): string[] {
      const now = performance.now();
      for (const [run, end] of untilWhen) if (end <= now) untilWhen.delete(run);
      return [...untilWhen.keys()];
    },
  };
}
