import { randomInt } from 'node:crypto';
import { ClipfleetError } from '../../shared/errors.ts';
import type { NewRun, Runs } from '../../shared/runs/ledger.ts';
import type { Run } from '../../shared/runs/run.ts';
import type { RunControl } from '../../shared/runs/runControl.ts';

/**
 * The record of the run that is asked for, opened. Without an id, ids are drawn until one is nobody's.
 *
 * @throws RUN_MISMATCH, RUN_CANCELLED; RUN_BUSY where one that must be new exists
 */
export async function openRecord(
  runs: Pick<Runs, 'open' | 'openNew'>,
  { run, isNew }: { run?: string | undefined; isNew?: boolean | undefined },
  about: Omit<NewRun, 'run'>,
): Promise<Run> {
  if (run === undefined) {
    for (;;) {
      const record = await runs.openNew({ ...about, run: newRunId() });
      if (record) return record;
    }
  }
  if (!isNew) return runs.open({ ...about, run });
  const record = await runs.openNew({ ...about, run });
  if (record) return record;
  throw new ClipfleetError('RUN_BUSY', `Expected run '${run}' to be new, and there is one: give another id.`);
}

/** Says where the vectors of a run are kept. @throws RUN_MISMATCH where it has images already, and keeps them elsewhere */
export async function keepVectorsIn(
  uri: string,
  { run, embeddings, chunks }: Run,
  control: Pick<RunControl, 'setEmbeddings'>,
): Promise<void> {
  if (uri === embeddings) return;
  if (chunks === 0) return control.setEmbeddings(run, uri);
  const kept = embeddings === undefined ? 'nowhere' : `in ${embeddings}`;
  const message = `Expected run '${run}' to keep its vectors in ${uri} from its first image on, but it keeps them ${kept}: open another run.`;
  throw new ClipfleetError('RUN_MISMATCH', message);
}

/** The ids given in the second of the last one: of a thousand drawn in one second, one in 4,350 times two would be the same. */
const givenIds = new Set<string>();
let givenIn = '';

/** Sorts by time, cannot be guessed, and is not given twice by one process: `20261123-145500-k3x9q2`. */
export function newRunId(): string {
  const time = new Date().toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  if (time !== givenIn) givenIds.clear();
  givenIn = time;
  for (;;) {
    const id = `${time}-${randomInt(36 ** 6)
      .toString(36)
      .padStart(6, '0')}`;
    if (givenIds.has(id)) continue;
    givenIds.add(id);
    return id;
  }
}
