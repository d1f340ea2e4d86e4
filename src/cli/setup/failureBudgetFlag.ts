import type { Config } from '../../shared/options/config.ts';

/**
 * Of a new run of which nobody said. Lists of old URLs are half dead and are worth labeling all the same; where nine of ten
 * images fail, something is wrong with all of them: a share that is not mounted, a path of another machine.
 */
const RATE_DEFAULT = 0.9;

/** The failure budget a run is opened with: an earlier run keeps its own unless a flag gives another. */
export function budgetOf(
  { maxFailureRate }: Config<'maxFailureRate'>,
  isNew: boolean,
): { maxFailureRate?: number } {
  if (maxFailureRate !== undefined) return { maxFailureRate };
  return isNew ? { maxFailureRate: RATE_DEFAULT } : {};
}
