import { LRUCache } from 'lru-cache';
import { ClipfleetError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { ResultsStore } from '../../shared/rows/resultsStore.ts';
import { type Chunk, parseChunkJob, salvageChunk } from '../../shared/runs/chunkJob.ts';
import type { Run } from '../../shared/runs/run.ts';
import type { Runs } from '../../shared/runs/runs.ts';
import { type JobVerdict, type Postponed, postponed } from '../verdicts/jobVerdict.ts';
import type { Delivery } from './delivery.ts';
import { failChunk, giveUpChunk } from './failChunk.ts';

export interface IntakeOptions {
  store: Pick<ResultsStore, 'name' | 'find' | 'putRows'>;
  runs: Pick<Runs, 'get' | 'finish' | 'withdraw' | 'warn'>;
  /** Identity of the model this worker serves. */
  model: string;
  /** How long a job of a newer wire version goes back to its lane before it fails. */
  newerGraceMs: number;
  /** Whether this worker may take the run: the vectors that it keeps can be written here, and those that it is labeled from read. */
  reachesVectors?: (run: Pick<Run, 'run' | 'embeddings' | 'relabels'>) => boolean;
  log: Pick<Logger, 'error' | 'warn'>;
}

type KnownRun = Pick<
  Run,
  'model' | 'labelSet' | 'birth' | 'store' | 'storeAddress' | 'embeddings' | 'relabels'
>;

/** A chunk to be worked on, with what its run says of all chunks. */
export interface TakenChunk extends Chunk, Pick<Run, 'labelSet' | 'embeddings' | 'relabels'> {
  /** The run's mark, also where the job names none. */
  bornAs?: string | undefined;
}

/** How long a job that this worker is too old for stays away, in milliseconds. */
const NEWER_DELAY_MS = 10_000;
/** How long a job stays away whose rows this worker could not store. */
const ELSEWHERE_DELAY_MS = 10_000;
/** How often a worker says again that it leaves a run alone. */
const SAY_EVERY_MS = 60_000;

/** How long a job stays away whose vectors this worker cannot keep, so that one of the others comes by. */
const UNKEPT_DELAY_MS = 2_000;

/** Checks what comes in from outside. */
export interface Intake {
  /**
   * The chunk a job carries, checked, or what becomes of the job where it carries none.
   *
   * Of a job that is no chunk, what can be saved gets failed rows; the rest is refused. A job of a newer version is postponed
   * while its time of grace lasts. A job whose run keeps its rows in another store is left to workers that have that.
   */
  take(delivery: Delivery): Promise<{ kind: 'taken'; chunk: TakenChunk } | JobVerdict>;
  /** What becomes of a job whose run has been removed, or has expired, meanwhile. */
  refuseRemoved(chunk: Pick<Chunk, 'run' | 'birth'>): JobVerdict;
}

/** Jobs may come from any producer: they are checked here and nowhere else. A run that nobody opened has no place for rows. */
export function createIntake({
  store,
  runs,
  model,
  newerGraceMs,
  reachesVectors,
  log,
}: IntakeOptions): Intake {
  const knownRuns = new LRUCache<string, KnownRun>({ max: 10_000 });
  const saidElsewhere = new LRUCache<string, true>({ max: 1_000, ttl: SAY_EVERY_MS });
  const saidUnkept = new LRUCache<string, true>({ max: 10_000 });

  /** A worker that a run's vectors are out of reach of leaves its jobs to others, and says so once. */
  function leaveVectors(run: string, { embeddings, relabels }: KnownRun): JobVerdict {
    if (!saidUnkept.has(run))
      log.warn(
        { run, vectors: embeddings ?? relabels?.embeddings },
        'run left to other workers: its vectors are out of reach here, see --write-root',
      );
    saidUnkept.set(run, true);
    return postponed(UNKEPT_DELAY_MS);
  }

  /** The run that the job is of; the job of a run that is gone is of none, though another may have the id. */
  async function runOf({ run, birth }: Pick<Chunk, 'run' | 'birth'>): Promise<KnownRun | undefined> {
    const isOf = (known: KnownRun) => birth === undefined || known.birth === birth;
    const remembered = knownRuns.get(run);
    if (remembered && isOf(remembered)) return remembered;
    const known = await runs.get(run);
    if (!known || !isOf(known)) return undefined;
    const { model, labelSet, birth: bornAs, store, storeAddress, embeddings, relabels } = known;
    knownRuns.set(run, { model, labelSet, birth: bornAs, store, storeAddress, embeddings, relabels });
    return known;
  }

  /** What becomes of a job of a run whose rows are elsewhere; undefined for other runs. */
  async function leftAlone(run: string, known: KnownRun): Promise<Postponed | undefined> {
    if (known.store === store.name) return undefined;
    if (!saidElsewhere.has(run)) {
      saidElsewhere.set(run, true);
      const place = known.storeAddress ?? 'Redis';
      log.warn({ run, store: place }, 'run left alone: this worker does not have its results store');
      await runs.warn(run, `Workers without its results store, ${place}, leave this run alone.`);
    }
    return postponed(ELSEWHERE_DELAY_MS);
  }

  /** A job that names a birth was of a run that was there, so that there is nothing to look at; another may be of one that is yet to be opened. */
  function withoutRun({ run, birth }: Pick<Chunk, 'run' | 'birth'>): JobVerdict {
    if (birth !== undefined) {
      log.warn({ birth }, `job dropped: run '${run}' was removed, has expired, or Redis has lost it`);
      return { kind: 'gone' };
    }
    const message = `Expected run '${run}' to be open: open it before adding jobs.`;
    return refuse(new ClipfleetError('RUN_UNKNOWN', message));
  }

  async function failSalvaged(delivery: Delivery, error: ClipfleetError): Promise<JobVerdict> {
    log.error({ job: delivery.id, code: error.code }, error.message);
    const salvaged = salvageChunk(delivery);
    if (!salvaged) {
      await giveUpChunk(runs, delivery.id, error);
      return refuse(error);
    }
    const known = await runOf(salvaged);
    if (!known) return withoutRun(salvaged);
    const away = await leftAlone(salvaged.run, known);
    if (away) return away;
    await failChunk({ store, runs }, salvaged, error);
    return { kind: 'done' };
  }

  return {
    async take(delivery) {
      const parsed = parse(delivery);
      if (parsed instanceof ClipfleetError)
        return postponedIfNewer(parsed, delivery, newerGraceMs) ?? failSalvaged(delivery, parsed);
      const known = await runOf(parsed);
      if (!known) return withoutRun(parsed);
      const away = await leftAlone(parsed.run, known);
      if (away) return away;
      const { labelSet, embeddings, relabels, birth: bornAs } = known;
      if (known.model === model) {
        if (reachesVectors?.({ run: parsed.run, embeddings, relabels }) === false)
          return leaveVectors(parsed.run, known);
        return { kind: 'taken', chunk: { ...parsed, labelSet, embeddings, relabels, bornAs } };
      }
      const message = `Run '${parsed.run}' is for model ${known.model}, and its job came to a lane of ${model}.`;
      return failSalvaged(delivery, new ClipfleetError('RUN_MISMATCH', message));
    },

    refuseRemoved(chunk) {
      knownRuns.delete(chunk.run);
      return withoutRun(chunk);
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

function refuse({ code, message }: ClipfleetError): JobVerdict {
  return { kind: 'refused', why: `${code}: ${message}` };
}
