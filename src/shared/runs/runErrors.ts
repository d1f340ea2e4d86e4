import { ClipfleetError } from '../errors.ts';
import { isWrongType } from '../redis/wrongType.ts';
import type { ResultsStore } from '../rows/resultsStore.ts';

export function unknownRun(run: string): ClipfleetError {
  return new ClipfleetError('RUN_UNKNOWN', `Expected a run that was opened on this Redis, got '${run}'.`);
}

export function unreadableRun(run: string, why: string): ClipfleetError {
  const message = `What Redis holds of run '${run}' cannot be read: ${why}. clipfleet rm ${run} removes it.`;
  return new ClipfleetError('RUN_UNREADABLE', message);
}

/** Whether an error says that a run's keys hold what is no run. */
export function isUnreadable(error: unknown): boolean {
  return isWrongType(error) || (error instanceof ClipfleetError && error.code === 'RUN_UNREADABLE');
}

/** What comes of work on a run's keys. @throws RUN_UNREADABLE where one of them is of another type */
export async function readingRun<T>(run: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isWrongType(error)) throw unreadableRun(run, 'a key of it has another type');
    throw error;
  }
}

/** Of a run that was there a moment ago. */
export function lostRun(run: string): ClipfleetError {
  return new ClipfleetError(
    'RUN_LOST',
    `Redis has lost run '${run}' while images were added to it: it came back empty, or the run was removed. ` +
      `The same command with --run ${run} makes it anew, with all its images.`,
  );
}

/** A run that this process has opened and that nobody knows any more is lost. */
export function ifLost(run: string): (error: unknown) => never {
  return (error) => {
    throw error instanceof ClipfleetError && error.code === 'RUN_UNKNOWN' ? lostRun(run) : error;
  };
}

export function cancelledRun(run: string): ClipfleetError {
  return new ClipfleetError('RUN_CANCELLED', `Run '${run}' is cancelled: give another --run to start anew.`);
}

/** @throws STORE_MISMATCH where the rows of the run are in another store */
export function checkStore(
  { run, store, storeAddress }: { run: string; store: string; storeAddress: string | undefined },
  given: Pick<ResultsStore, 'name' | 'address'>,
): void {
  if (store === given.name) return;
  const remedy =
    storeAddress === undefined ? 'leave out --store and CLIPFLEET_STORE' : 'set CLIPFLEET_STORE to that';
  throw new ClipfleetError(
    'STORE_MISMATCH',
    `Run '${run}' keeps its rows in ${storeAddress ?? 'Redis'} (${store}), and the store given is ${given.address} (${given.name}): ${remedy}.`,
  );
}

/** What a run is opened with. */
interface Opened {
  model: string;
  labelSet: string;
  lane: string;
}

export function mismatchedRun(
  run: string,
  field: string,
  existing: Opened | undefined,
  asked: Opened,
): ClipfleetError {
  const has = existing?.[field as keyof typeof asked];
  const got = asked[field as keyof typeof asked];
  return new ClipfleetError(
    'RUN_MISMATCH',
    `Run '${run}' was opened with ${field} ${has}, got ${got}: give the same to continue it, or another --run to start anew.`,
  );
}
