import { LRUCache } from 'lru-cache';
import { ClipfleetError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';
import type { ResultsStore } from '../../shared/rows/resultsStore.ts';
import { type Chunk, parseChunkJob, salvageChunk } from '../../shared/runs/chunkJob.ts';
import type { Run } from '../../shared/runs/run.ts';
import type { Runs } from '../../shared/runs/runs.ts';
import type { Delivery } from './delivery.ts';
import { failChunk, giveUpChunk } from './failChunk.ts';
import { type JobVerdict, type Postponed, postponed } from './jobVerdict.ts';

export interface IntakeOptions {
  store: Pick<ResultsStore, 'find' | 'putRows'>;
  runs: Pick<Runs, 'get' | 'finish' | 'withdraw' | 'warn'>;
  /** Identity of the model this worker serves. */
  model: string;
  /** How long a job of a newer wire version goes back to its lane before it fails. */
  newerGraceMs: number;
  log: Pick<Logger, 'error'>;
}

type KnownRun = Pick<Run, 'model' | 'labelSet' | 'birth'>;

/** A chunk to be worked on, with what its run says of all chunks. */
export type TakenChunk = Chunk & Pick<Run, 'labelSet'>;

/** How long a job that this worker is too old for stays away, in milliseconds. */
const NEWER_DELAY_MS = 10_000;

/** Checks what comes in from outside. */
export interface Intake {
  /**
   * The chunk a job carries, checked, or what becomes of the job where it carries none.
   *
   * Of a job that is no chunk, what can be saved gets failed rows; the rest is refused. A job of a newer version is postponed
   * while its time of grace lasts.
   */
  take(delivery: Delivery): Promise<{ kind: 'taken'; chunk: TakenChunk } | JobVerdict>;
  /** What becomes of a job whose run has been removed meanwhile. */
  refuseRemoved(run: string): JobVerdict;
}

/** Jobs may come from any producer: they are checked here and nowhere else. A run that nobody opened has no place for rows. */
export function createIntake({ store, runs, model, newerGraceMs, log }: IntakeOptions): Intake {
  const knownRuns = new LRUCache<string, KnownRun>({ max: 10_000 });

  /** The run that the job is of; the job of a run that is gone is of none, though another may have the id. */
  async function runOf({ run, birth }: Pick<Chunk, 'run' | 'birth'>): Promise<KnownRun | undefined> {
    const isOf = (known: KnownRun) => birth === undefined || known.birth === birth;
    const remembered = knownRuns.get(run);
    if (remembered && isOf(remembered)) return remembered;
    const known = await runs.get(run);
    if (!known || !isOf(known)) return undefined;
    knownRuns.set(run, { model: known.model, labelSet: known.labelSet, birth: known.birth });
    return known;
  }

  async function failSalvaged(delivery: Delivery, error: ClipfleetError): Promise<JobVerdict> {
    log.error({ job: delivery.id, code: error.code }, error.message);
    const salvaged = salvageChunk(delivery);
    if (!salvaged) {
      await giveUpChunk(runs, delivery.id, error);
      return refuse(error);
    }
    if (!(await runOf(salvaged))) return refuse(neverOpened(salvaged));
    await failChunk({ store, runs }, salvaged, error);
    return { kind: 'done' };
  }

  return {
    async take(delivery) {
      const parsed = parse(delivery);
      if (parsed instanceof ClipfleetError)
        return postponedIfNewer(parsed, delivery, newerGraceMs) ?? failSalvaged(delivery, parsed);
      const known = await runOf(parsed);
      if (!known) return refuse(neverOpened(parsed));
      if (known.model === model) return { kind: 'taken', chunk: { ...parsed, labelSet: known.labelSet } };
      const message = `Run '${parsed.run}' is for model ${known.model}, and its job came to a lane of ${model}.`;
      return failSalvaged(delivery, new ClipfleetError('RUN_MISMATCH', message));
    },

    refuseRemoved(run) {
      knownRuns.delete(run);
      const message = `Expected run '${run}' to be open: it was removed, or Redis has lost it.`;
      return refuse(new ClipfleetError('RUN_UNKNOWN', message));
    },
  };
}

function parse(delivery: Delivery): Chunk | ClipfleetError {
  try {
    return parseChunkJob(delivery);
  } catch (error) {
    if (error instanceof ClipfleetError) return error;
    throw error;
  }
}

/** Something newer than this worker goes back to the lane while a newer worker may yet come and take it. */
export function postponedIfNewer(
  { code }: ClipfleetError,
  { addedAt }: Delivery,
  graceMs: number,
): Postponed | undefined {
  return code === 'JOB_NEWER' && Date.now() - addedAt < graceMs ? postponed(NEWER_DELAY_MS) : undefined;
}

function neverOpened({ run, birth }: Pick<Chunk, 'run' | 'birth'>): ClipfleetError {
  if (birth !== undefined) {
    const message = `Expected run '${run}' of birth ${birth}: Redis has lost it, or it was removed.`;
    return new ClipfleetError('RUN_UNKNOWN', message);
  }
  return new ClipfleetError('RUN_UNKNOWN', `Expected run '${run}' to be open: open it before adding jobs.`);
}

function refuse({ code, message }: ClipfleetError): JobVerdict {
  return { kind: 'refused', why: `${code}: ${message}` };
}
