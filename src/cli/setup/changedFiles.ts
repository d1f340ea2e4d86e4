import { createIsChanged } from '../../producer/runs/changedFile.ts';
import type { SendOptions } from '../../producer/runs/chunkSender.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import type { Context } from './context.ts';

export interface ChangedChoice {
  changed: boolean;
  run?: string | undefined;
}

/** Throws USAGE for --changed without a run whose rows it could compare with. */
export function checkChanged({ changed, run }: ChangedChoice): void {
  if (changed && run === undefined)
    throw new ClipfleetError('USAGE', '--changed: expected --run with the run whose files have changed.');
}

/** Adds the run's changed files once more, where that is wanted, and says how many. */
export async function addChanged(
  { producer }: Pick<Context, 'producer'>,
  run: string,
  { changed, roots, ...how }: ChangedChoice & SendOptions & { roots: Map<string, string> },
): Promise<void> {
  if (!changed) return;
  const { chunkSize, highWater, attempts, signal } = how;
  const sent = {
    ...(chunkSize && { chunkSize }),
    ...(highWater && { highWater }),
    ...(attempts && { attempts }),
  };
  const added = await producer.retry(run, {
    wanted: createIsChanged(roots),
    ...sent,
    ...(signal && { signal }),
  });
  process.stderr.write(`${added} changed ${added === 1 ? 'file' : 'files'} labeled again\n`);
}
