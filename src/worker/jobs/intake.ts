import { type Job, UnrecoverableError } from 'bullmq';
import { LRUCache } from 'lru-cache';
import { ClipfleetError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';
import type { ResultsStore } from '../../shared/rows/resultsStore.ts';
import { type Chunk, parseChunkJob, salvageChunk } from '../../shared/runs/chunkJob.ts';
import type { Run } from '../../shared/runs/run.ts';
import type { Runs } from '../../shared/runs/runs.ts';
import { failChunk } from './failChunk.ts';

export interface IntakeOptions {
  store: ResultsStore;
  runs: Runs;
  /** Identity of the model this worker serves. */
  model: string;
  /** How long a job of a newer wire version goes back to its lane before it fails. */
  newerGraceMs: number;
  log: Logger;
}

type KnownRun = Pick<Run, 'model' | 'labelSet'>;

/** A chunk to be worked on, with what its run says of all chunks. */
export type TakenChunk = Chunk & Pick<Run, 'labelSet'>;

/**
 * What may come in from outside: the chunk a job carries, checked.
 *
 * Of a job that is no chunk, what can be saved gets failed rows, and undefined comes back; the rest stays in the
 * failed set, for people to look at. A job of a newer version throws JOB_NEWER while its time of grace lasts.
 */
export function createIntake({ store, runs, model, newerGraceMs, log }: IntakeOptions) {
  const knownRuns = new LRUCache<string, KnownRun>({ max: 10_000 });

  /** A chunk of a run nobody opened has no place for its rows. */
  async function runOf(run: string): Promise<KnownRun> {
    const known = knownRuns.get(run) ?? (await runs.get(run));
    if (!known) throw refuse('RUN_UNKNOWN', `Expected run '${run}' to be open: open it before adding jobs.`);
    knownRuns.set(run, { model: known.model, labelSet: known.labelSet });
    return known;
  }

  async function failSalvaged(job: Job, error: ClipfleetError): Promise<void> {
    log.error({ job: job.id, code: error.code }, error.message);
    const salvaged = salvageChunk(job);
    if (!salvaged) throw refuse(error.code, error.message);
    await runOf(salvaged.run);
    await failChunk({ store, runs }, salvaged, error);
  }

  async function take(job: Job): Promise<TakenChunk | undefined> {
    try {
      const chunk = parseChunkJob(job);
      const known = await runOf(chunk.run);
      if (known.model === model) return { ...chunk, labelSet: known.labelSet };
      throw new ClipfleetError(
        'RUN_MISMATCH',
        `Run '${chunk.run}' is for model ${known.model}, and its job came to a lane of ${model}.`,
      );
    } catch (error) {
      if (!(error instanceof ClipfleetError) || isNewerAndYoung(error, job, newerGraceMs)) throw error;
      await failSalvaged(job, error);
    }
    return undefined;
  }

  return {
    take,
    /** What a job fails with whose run has been removed meanwhile. */
    unknownRun(run: string): UnrecoverableError {
      knownRuns.delete(run);
      return refuse('RUN_UNKNOWN', `Expected run '${run}' to be open: it was removed.`);
    },
  };
}

/** Whether a newer worker may yet come and take the job. */
export function isNewerAndYoung(error: unknown, job: Job, graceMs: number): boolean {
  return (
    error instanceof ClipfleetError && error.code === 'JOB_NEWER' && Date.now() - job.timestamp < graceMs
  );
}

function refuse(code: string, message: string): UnrecoverableError {
  return new UnrecoverableError(`${code}: ${message}`);
}
