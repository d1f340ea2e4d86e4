import { ClipfleetError } from '../errors.ts';
import type { Run } from './run.ts';

export function unknownRun(run: string): ClipfleetError {
  return new ClipfleetError('RUN_UNKNOWN', `Expected a run that was opened on this Redis, got '${run}'.`);
}

export function cancelledRun(run: string): ClipfleetError {
  return new ClipfleetError('RUN_CANCELLED', `Run '${run}' is cancelled: give another --run to start anew.`);
}

export function mismatchedRun(
  run: string,
  field: string,
  existing: Run | undefined,
  asked: Pick<Run, 'model' | 'labelSet' | 'lane'>,
): ClipfleetError {
  const has = existing?.[field as keyof typeof asked];
  const got = asked[field as keyof typeof asked];
  return new ClipfleetError(
    'RUN_MISMATCH',
    `Run '${run}' was opened with ${field} ${has}, got ${got}: give the same to continue it, or another --run to start anew.`,
  );
}
