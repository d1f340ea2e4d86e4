import assert from 'node:assert/strict';
import type { RunProgress } from '../../src/producer/runs/runProgress.ts';
import type { Fleet } from './fleet.ts';

type Count =
  | 'expected'
  | 'waiting'
  | 'active'
  | 'classified'
  | 'failed'
  | 'skipped'
  | 'duplicates'
  | 'retrying';

/** The account of a run, once it is seen to add up; counts of nothing are left out. */
export async function readAccount(fleet: Fleet, run: string): Promise<Partial<Record<Count, number>>> {
  const { expected, waiting, active, classified, failed, skipped, duplicates, retrying } = addsUp(
    await fleet.producer.progress(run),
  );
  const account = { expected, waiting, active, classified, failed, skipped, duplicates, retrying };
  return Object.fromEntries(Object.entries(account).filter(([, images]) => images > 0));
}

/** The same progress: every image is in one place, and no place holds less than nothing. */
export function addsUp(progress: RunProgress): RunProgress {
  const { expected, waiting, active, classified, failed, skipped, duplicates } = progress;
  const places = [waiting, active, classified, failed, skipped];
  assert.equal(
    places.reduce((sum, images) => sum + images, 0),
    expected,
    JSON.stringify(progress),
  );
  assert.ok(Math.min(...places, duplicates) >= 0, JSON.stringify(progress));
  return progress;
}
