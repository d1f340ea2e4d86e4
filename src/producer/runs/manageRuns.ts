import type { Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { ClipfleetError } from '../../shared/errors.ts';
import { promoteJob } from '../../shared/fleet/promoteJob.ts';
import { keysUnder } from '../../shared/redis/keys.ts';
import type { Run } from '../../shared/runs/run.ts';
import type { RunControl } from '../../shared/runs/runControl.ts';
import { cancelledRun, readingRun } from '../../shared/runs/runErrors.ts';
import { together } from '../../shared/together.ts';
import { untilAborted } from '../../shared/untilAborted.ts';
import { type Audit, auditRun } from './auditRun.ts';
import { heldBytes } from './heldBytes.ts';
import { jobsPending } from './pendingJobs.ts';
import { type RetryOptions, retryRun } from './retryRun.ts';
import { type RunProgress, type RunState, readLedger, readProgress } from './runProgress.ts';

export interface ManageRunsOptions extends RunState {
  redis: Redis;
  prefix: string;
  control: RunControl;
  openLane(name: string): Queue;
}

type Described = Pick<Run, 'run' | 'model' | 'labelSet' | 'createdAt' | 'source' | 'store' | 'storeAddress'>;

/** A run among others: what it is, and its account. Of one whose rows are in another store, what its ledger says. */
export type ListedRun = Described &
  Pick<RunProgress, 'state' | 'paused' | 'expected' | 'done'> &
  Partial<RunProgress> & {
    /** When it goes by itself, ISO 8601. */
    expiresAt?: string;
    /** About how many bytes of Redis it takes, where that was asked for and Redis tells. */
    redisBytes?: number;
  };

export interface ListOptions {
  /** Told of each run that cannot be read. */
  onUnreadable?: (error: ClipfleetError) => void;
  /** Whether to ask how much of Redis each run takes. */
  held?: boolean;
}

/** What people do with runs that are there. */
export function createRunManager({ redis, prefix, openLane, runs, store, control }: ManageRunsOptions) {
  const from = { runs, store };
  const keys = keysUnder(prefix);

  const recordOf = (run: string): Promise<Run> => readLedger(from, run);

  async function withLane<T>(run: string, work: (record: Run, lane: Queue) => Promise<T>): Promise<T> {
    const record = await recordOf(run);
    const lane = openLane(record.lane);
    try {
      return await readingRun(run, () => work(record, lane));
    } finally {
      await lane.close();
    }
  }

  return {
    /** The run's record. @throws RUN_UNKNOWN, STORE_MISMATCH */
    describe: recordOf,

    /**
     * Ends a run: rows that come late are refused, and images without a row are skipped. One that is complete stays so.
     *
     * @throws RUN_UNKNOWN
     */
    async cancel(run: string): Promise<RunProgress> {
      if ((await recordOf(run)).state !== 'complete') {
        await control.cancel(run);
        await store.refuse(run);
      }
      return readingRun(run, () => readProgress(from, run));
    },

    /** Lets workers go on with a paused run, at once. @throws RUN_UNKNOWN */
    resume: (run: string): Promise<void> =>
      withLane(run, async (_, lane) => {
        await control.resume(run);
        await together(await jobsPending(run, lane, runs), promoteJob);
      }),

    /**
     * Adds the failed images once more; resolves to their number.
     *
     * @throws RUN_UNKNOWN, RUN_CANCELLED, and at once the signal's reason
     */
    retry: (run: string, options: RetryOptions = {}): Promise<number> =>
      withLane(run, async (record, lane) => {
        if (record.state === 'cancelled') throw cancelledRun(run);
        return untilAborted(options.signal, () => retryRun(from, record, lane, options));
      }),

    /** Recounts the run from its rows and puts right what differs. @throws RUN_UNKNOWN */
    audit: (run: string): Promise<Audit> => withLane(run, (record, lane) => auditRun(from, record, lane)),

    /**
     * Removes a run that is complete or cancelled, with its rows; one that cannot be read at any time, without its jobs, which then
     * belong to no run. Vectors that it kept stay: resolves to where they are.
     *
     * @throws RUN_UNKNOWN, RUN_BUSY
     */
    async remove(run: string): Promise<string | undefined> {
      const vectors = await withLane(run, async ({ state, embeddings }, lane) => {
        if (state !== 'complete' && state !== 'cancelled') {
          const message = `Run '${run}' is ${state}: cancel it first, or wait until it is complete.`;
          throw new ClipfleetError('RUN_BUSY', message);
        }
        await together(await jobsPending(run, lane, runs), (job) => removeJob(run, job));
        return embeddings;
      }).catch((error: unknown) => void unlessUnreadable(error));
      await store.remove(run);
      await control.remove(run);
      return vectors === undefined ? undefined : `${vectors}/${run}`;
    },

    /** All runs, the newest first. One that cannot be read is left out, and `onUnreadable` told. */
    async list({ onUnreadable, held = false }: ListOptions = {}): Promise<ListedRun[]> {
      const ids: string[] = [];
      for await (const run of control.list()) ids.push(run);
      const read = await together(ids, async (run): Promise<ListedRun[]> => {
        try {
          const record = await runs.get(run);
          if (!record) return [];
          const { model, labelSet, createdAt, expiresAt, source, store: name, storeAddress } = record;
          const about = {
            ...{ run, model, labelSet, createdAt, source, store: name, storeAddress },
            ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt).toISOString() }),
          };
          const isHere = name === store.name;
          const progress = isHere
            ? await readingRun(run, () => readProgress(from, run, record))
            : ledgerOf(record);
          const bytes = held ? await heldBytes({ redis, keys, prefix }, record) : undefined;
          return [{ ...about, ...progress, ...(bytes !== undefined && { redisBytes: bytes }) }];
        } catch (error) {
          // Removed since it was found.
          if (error instanceof ClipfleetError && error.code === 'RUN_UNKNOWN') return [];
          onUnreadable?.(unlessUnreadable(error));
          return [];
        }
      });
      return read.flat().sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
    },
  };
}

/** The error that a run cannot be read; another is thrown. */
function unlessUnreadable(error: unknown): ClipfleetError {
  if (error instanceof ClipfleetError && error.code === 'RUN_UNREADABLE') return error;
  throw error;
}

/** Images of finished chunks have their rows, wherever those are. */
function ledgerOf({ state, paused, images, pending, retrying }: Run) {
  return { state, paused, expected: images, done: images - (pending - retrying) };
}

/** Of a cancelled run: a worker that holds the job lets go of it within a second or two. */
async function removeJob(run: string, job: Job): Promise<void> {
  await job.remove().catch(async (error: Error) => {
    if ((await job.getState()) === 'unknown') return;
    const message = `A worker still holds a job of run '${run}': try again in a moment. (${error.message})`;
    throw new ClipfleetError('RUN_BUSY', message, { cause: error });
  });
}
