import type { Config } from '../../shared/options/config.ts';

/** The failure budget a run is opened with. */
export function budgetOf({ maxFailureRate }: Config<'maxFailureRate'>): { maxFailureRate?: number } {
  return maxFailureRate === undefined ? {} : { maxFailureRate };
}
