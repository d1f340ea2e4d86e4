import type { BackOff } from '../../shared/backOff.ts';
import type { Logger } from '../../shared/log/log.ts';
import { postponed } from '../verdicts/jobVerdict.ts';
import { isOfSurroundings } from '../verdicts/surroundings.ts';
import type { Consume } from './consume.ts';

/** Jobs that went back together come back spread over so many milliseconds. */
const SPREAD_MS = 250;

/**
 * The same as `consume`, with what it throws as a verdict: a fault of the surroundings postpones the job, after a pause that
 * keeps its place, so that the worker takes fewer jobs meanwhile; any other error spends an attempt. Never rejects.
 */
export function withstandFaults(consume: Consume, backOff: BackOff, log: Pick<Logger, 'error'>): Consume {
  return async (delivery) => {
    try {
      const verdict = await consume(delivery);
      backOff.recovered();
      return verdict;
    } catch (error) {
      if (!isOfSurroundings(error)) {
        log.error({ err: error, job: delivery.id }, 'job failed unexpectedly');
        return { kind: 'again', why: error instanceof Error ? error.message : String(error) };
      }
      await backOff.fault(error);
      return postponed(Math.random() * SPREAD_MS);
    }
  };
}
