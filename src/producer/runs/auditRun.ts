import { isDeepStrictEqual } from 'node:util';
import type { Queue } from 'bullmq';
import type { RowCounts } from '../../shared/rows/resultsStore.ts';
import type { Run } from '../../shared/runs/run.ts';
import { together } from '../../shared/together.ts';
import type { Settled } from './chunkSender.ts';
import { keptImages } from './keptImages.ts';
import { pendingJobs } from './pendingJobs.ts';
import { type RunProgress, type RunState, readProgress } from './runProgress.ts';
import { settledOf } from './settlePending.ts';

/** What an audit found, and what it put right. */
export interface Audit extends Settled {
  /** The account as it is now. */
  progress: RunProgress;
  /** The counts as they stood, and what there is. */
  stored: RowCounts;
  counted: RowCounts;
  /** Whether stored counts that differed were put right. */
  recounted: boolean;
  /** Ids under which there was something that is no row; it is removed where rows were recounted. */
  unreadable: string[];
}

/**
 * Recounts a run from its rows, and puts right what differs.
 *
 * Counts move in the scripts that write the rows, so that they differ only where Redis lost something or somebody else
 * wrote to it. They are put right only while no row is to come, because rows that are written meanwhile would be counted or
 * not. What has no job is taken back, so that the run can be continued or can complete; what a producer that lives is about to add is left alone.
 */
export async function auditRun(from: RunState, run: Run, lane: Queue): Promise<Audit> {
  const { runs, store } = from;
  // The ledger of a cancelled run stays as it is.
  const pending = run.state === 'cancelled' ? [] : await pendingJobs(run.run, lane, runs);
  const kept = await keptImages(from, run.run, pending);
  await together([...kept], async ([piece, images]) => {
    await runs.withdraw(run.run, piece, images);
    await runs.release(run.run, piece);
  });
  const nothingToCome = (await runs.active(run.run)) === 0 && (await runs.pending(run.run)).length === 0;
  // Of a cancelled run no more rows are taken, whatever is pending.
  const quiet = run.state === 'cancelled' || nothingToCome;
  const { stored, counted, unreadable = [] } = await store.recount(run.run, quiet);
  return {
    progress: await readProgress(from, run.run),
    stored,
    counted,
    recounted: quiet && !isDeepStrictEqual(stored, counted),
    ...settledOf(pending),
    unreadable,
  };
}
