import type { Logger } from '../../shared/log/log.ts';
import { createHostNames, type HostNames } from './hostNames.ts';

/** How often look-ups that did not come are logged, of all names together. */
const LOG_EVERY_MS = 10_000;

/** The names of a worker, which logs look-ups that did not come: the last one, and how many there were since it said so. */
export function openHostNames(log: Logger): HostNames {
  let loggedAt = Number.NEGATIVE_INFINITY;
  let misses = 0;
  return createHostNames((error) => {
    misses++;
    if (performance.now() - loggedAt < LOG_EVERY_MS) return;
    log.warn({ err: error, lookups: misses }, 'name server did not answer');
    loggedAt = performance.now();
    misses = 0;
  });
}
