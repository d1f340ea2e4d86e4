import type { Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { ClipfleetError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { ResultsStore } from '../../shared/rows/resultsStore.ts';
import { isBeyondSaving, salvageChunk } from '../../shared/runs/chunkJob.ts';
import type { Runs } from '../../shared/runs/runs.ts';
import { isPassingState } from '../verdicts/surroundings.ts';
import { failChunk, giveUpChunk } from './failChunk.ts';

export interface SweepContext {
  redis: Redis;
  store: Pick<ResultsStore, 'name' | 'find' | 'putRows'>;
  runs: Pick<Runs, 'get' | 'finish' | 'withdraw' | 'warn'>;
  log: Pick<Logger, 'warn'>;
  /** How often the failed set is looked at, in milliseconds. */
  lockMs: number;
}

/** Sweeps now, every `lockMs`, and whenever it is told to. */
export function startSweeping(queue: Queue, context: SweepContext): { now(): void; stop(): Promise<void> } {
  const sweep = createSweep(queue, context);
  let sweeping: Promise<void> = Promise.resolve();
  const now = () => {
    sweeping = sweeping.then(sweep).catch((error: Error) => {
      // While Redis answers with errors the lane says so.
      if (!isPassingState(error)) context.log.warn({ err: error, lane: queue.name }, 'sweep failed');
    });
  };
  now();
  const timer = setInterval(now, context.lockMs);
  return {
    now,
    async stop() {
      clearInterval(timer);
      await sweeping;
    },
  };
}

/** What became of a failed job: it is in the failed set no more, or left for people to look at. */
type Swept = 'gone' | 'left';

/** Names of failed jobs read at a time. */
const PAGE_JOBS = 1_000;
/** Names of jobs left for people that a worker remembers, so that it reads each once. */
const LEFT_MAX = 200_000;

/**
 * Looks after jobs that BullMQ failed by itself: a function to be called again and again, one after the other.
 *
 * BullMQ fails a job whose error it caught, or could not hand over, without calling any code of ours: its images would be left without
 * rows, and its run would never be complete. The job's data is still there to tell which. One that failed by what Redis answered, or
 * whose lock ran out too often for another worker's taste, goes back to the lane instead. One that nothing can be saved
 * of, or whose run nobody opened, stays in the failed set, for people to look at; while none is added, a look is two
 * commands, however many there are.
 */
function createSweep(queue: Queue, context: SweepContext): () => Promise<void> {
  const { redis } = context;
  const failed = queue.toKey('failed');
  const left = new LRUCache<string, true>({ max: LEFT_MAX });
  let seen = '';

  async function state(): Promise<string> {
    const [count, newest] = await Promise.all([
      redis.zcard(failed),
      redis.zrevrange(failed, 0, 0, 'WITHSCORES'),
    ]);
    return [count, ...newest].join(' ');
  }

  return async () => {
    const before = await state();
    if (before === seen) return;
    for (let from = 0; ; ) {
      const ids = await redis.zrevrange(failed, from, from + PAGE_JOBS - 1);
      if (ids.length === 0) break;
      for (const id of ids) {
        const swept = left.has(id) ? 'left' : await sweepNamed(queue, id, context);
        if (swept === 'left') left.set(id, true);
        if (swept !== 'gone') from++;
      }
    }
    seen = await state();
  };
}

/** One job that cannot be swept is named, and holds up no other. */
async function sweepNamed(queue: Queue, id: string, context: SweepContext): Promise<Swept> {
  try {
    const job = (await queue.getJob(id)) as Job | undefined;
    // What is no JSON comes as the text that it is.
    if (typeof job?.data === 'string') context.log.warn({ job: id }, 'failed job unreadable');
    return job ? await sweepJob(job, context) : 'left';
  } catch (error) {
    if (isPassingState(error)) throw error;
    context.log.warn({ err: error, job: id }, 'failed job unreadable');
    return 'left';
  }
}

async function sweepJob(job: Job, context: SweepContext): Promise<Swept> {
  const { store, runs, log } = context;
  const chunk = salvageChunk(job);
  if (!chunk) {
    const error = new ClipfleetError('JOB_INVALID', `The job failed: ${job.failedReason}`);
    if (isBeyondSaving(job)) await giveUpChunk(runs, job.id, error);
    return 'left';
  }
  const record = await runs.get(chunk.run);
  // The job of a run that is gone is not for another of its id.
  if (!record && chunk.birth === undefined) return 'left';
  if (!record || (chunk.birth !== undefined && chunk.birth !== record.birth)) {
    log.warn(
      { birth: chunk.birth },
      `failed job dropped: run '${chunk.run}' was removed, has expired, or Redis has lost it`,
    );
    await job.remove();
    return 'gone';
  }
  // A run whose rows are in another store is for workers that have that.
  if (record.store !== store.name) return 'left';
  const reason = job.failedReason || 'unknown';
  const about = { run: chunk.run, chunk: chunk.chunk, images: chunk.images.length };
  // Which locks ran out says nothing of processes that died: those are counted in the ledger.
  if (reason.startsWith('job stalled') || isPassingState(new Error(reason))) {
    await job.retry('failed', { resetAttemptsMade: true });
    log.warn({ ...about, why: reason }, 'failed job retried');
    return 'gone';
  }
  const error = new ClipfleetError('INTERNAL', `The job failed unexpectedly: ${reason}`);
  await failChunk({ store, runs }, chunk, error);
  await job.remove();
  log.warn({ ...about, why: reason }, 'failed job swept');
  return 'gone';
}
