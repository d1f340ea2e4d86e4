import { DelayedError, type Job, Worker as LaneWorker, UnrecoverableError } from 'bullmq';
import type { Redis } from 'ioredis';
import { createBackOff } from '../../shared/backOff.ts';
import { addChunkJobs } from '../../shared/fleet/chunkJobs.ts';
import { laneBackend } from '../../shared/fleet/laneBackend.ts';
import { openLaneQueue } from '../../shared/fleet/laneQueue.ts';
import { promoteJob } from '../../shared/fleet/promoteJob.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { Config } from '../../shared/options/config.ts';
import type { ResultsStore } from '../../shared/rows/resultsStore.ts';
import type { Runs } from '../../shared/runs/runs.ts';
import { backoffStrategy, type JobVerdict, PARKED_MS } from '../verdicts/jobVerdict.ts';
import { isOfSurroundings, isPassingState, whatFailed } from '../verdicts/surroundings.ts';
import type { Consume } from './consume.ts';
import { type Delivery, deliveryOf, imagesIn, refusedSinceOf } from './delivery.ts';
import { createJobsInHand, type GivenBack } from './jobsInHand.ts';
import type { LaneShare } from './shareLane.ts';
import { startSweeping } from './sweep.ts';
import { withstandFaults } from './withstand.ts';

export interface LaneContext {
  redis: Redis;
  prefix: string;
  store: ResultsStore;
  runs: Runs;
  log: Logger;
  consume: Consume;
  share: LaneShare;
  /** The worker's name in the ledger. */
  holder: string;
  imagesInFlight: number;
  /** Images of this worker's jobs that wait for a host's turn and hold nothing. */
  waiting: () => number;
}

/** How long BullMQ waits after a connection that failed before it tries again. */
const RETRY_MS = 1_000;

/** How often a worker without a job says so. */
const IDLE_MS = 500;

/** BullMQ's codes for a job that this worker does not hold any more: it is gone, moved, or another's. */
const LOST_CODES: readonly unknown[] = [-1, -2, -3, -6];
function isLost(error: unknown): boolean {
  return LOST_CODES.includes((error as { code?: unknown }).code);
}

/**
 * One lane's jobs, and the sweeping of those that BullMQ failed by itself.
 *
 * Concurrency counts jobs, but what must be bounded is images, and a job has 1 to 256 of them. So it follows the size of
 * the jobs seen: enough of them to keep `imagesInFlight` images going, and never more than one job beyond, because what a
 * worker holds at the end of a run, idle workers cannot take. Images that wait for a host's turn are as if they were not here.
 */
export function openLane(
  { name, urgent }: { name: string; urgent: boolean },
  context: LaneContext,
  { lockMs }: Config<'lockMs'>,
) {
  const { redis, prefix, runs, log, consume, share, holder, imagesInFlight, waiting } = context;
  const queue = openLaneQueue(name, { redis, prefix, onError: (error) => onError(error) });
  const closing = new AbortController();
  const backOff = createBackOff({ log, signal: closing.signal, whatFailed });
  const consumeSafely = withstandFaults(consume, backOff, log);
  const addJobs: Delivery['addJobs'] = (...chunk) => addChunkJobs(queue, ...chunk);
  const sweeping = startSweeping(queue, { ...context, lockMs });
  /** Jobs in hand whose locks are gone; each is said once. */
  const lockless = new Set<string>();
  let isResting = false;
  let taken = 0;
  let jobImages = imagesInFlight;
  const inHand = createJobsInHand(runs, holder, () => new DelayedError());
  const process = async (job: Job, token?: string) => {
    taken++;
    jobImages += (imagesIn(job) - jobImages) / 4;
    worker.concurrency = Math.max(2, Math.ceil((imagesInFlight + waiting()) / jobImages));
    const delivery = deliveryOf(job, { lane: name, urgent, addJobs });
    const work = async () => carryOut(await consumeSafely(delivery), job, token);
    await inHand.hold(job, token, work).finally(() => lockless.delete(job.id!));
  };
  const how = {
    ...{ connection: redis, prefix },
    concurrency: 2,
    lockDuration: lockMs,
    stalledInterval: lockMs,
    // How often a job's lock ran out says little, and nothing of its images: losses are counted in the ledger.
    maxStalledCount: Number.MAX_SAFE_INTEGER,
    runRetryDelay: RETRY_MS,
    // Rows are the record of what happened, so a completed job leaves at once; one that BullMQ failed itself stays until
    // the sweep has written its rows.
    removeOnComplete: { count: 0 },
    settings: { backoffStrategy },
  };
  const worker = new LaneWorker(name, process, how, laneBackend(redis));

  /** The one place where what becomes of a job is said to BullMQ. */
  async function carryOut(verdict: JobVerdict, job: Job, token = ''): Promise<void> {
    if (verdict.kind === 'done' || verdict.kind === 'cancelled' || verdict.kind === 'gone') return;
    const move = async () => {
      const refusedSince = 'refusedSince' in verdict ? verdict.refusedSince : undefined;
      if (refusedSince !== undefined && refusedSince !== refusedSinceOf(job))
        await job.updateProgress(refusedSince);
      if (verdict.kind === 'again' || verdict.kind === 'refused') {
        const error = new (verdict.kind === 'again' ? Error : UnrecoverableError)(verdict.why);
        await job.moveToFailed(error, token);
        log.warn({ job: job.id, attempt: job.attemptsMade, why: verdict.why }, 'job attempt failed');
        if (job.finishedOn !== undefined) sweeping.now();
      } else {
        const delayMs = verdict.kind === 'parked' ? PARKED_MS : verdict.delayMs;
        await job.moveToDelayed(Date.now() + delayMs, token);
      }
    };
    await untilTaken(move).catch((error) => {
      if (!isLost(error)) throw error;
      sayLockless([job.id!]);
    });
    // Whoever resumed the run before that did not find the job delayed.
    if (verdict.kind === 'parked' && (await runs.get(verdict.run))?.paused === undefined)
      await promoteJob(job);
    // For BullMQ: the job is moved already, whichever way.
    throw new DelayedError();
  }

  /** Says it to Redis again and again until it is taken, or until the lane closes. */
  async function untilTaken(say: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await say();
      } catch (error) {
        if (isLost(error) || !isOfSurroundings(error) || closing.signal.aborted) throw error;
        await backOff.fault(error);
      }
    }
  }

  /** The locks of jobs in hand are gone, and this worker is not. */
  function sayLockless(ids: readonly string[]): void {
    for (const id of ids) {
      if (!lockless.has(id)) log.warn({ job: id, lane: name }, 'job lost its lock, not its worker');
      lockless.add(id);
    }
  }

  /** BullMQ asks for the next job at once when Redis has answered with an error, and looks for stalled jobs no more. */
  async function rest(error: Error): Promise<void> {
    if (isResting || worker.closing) return;
    isResting = true;
    await worker.pause(true);
    await backOff.fault(error);
    isResting = false;
    if (!worker.closing) await worker.resume();
  }

  const onError = (error: Error) => {
    if (isPassingState(error)) void rest(error);
    // BullMQ says the same again in an event of its own, which is listened to.
    else if (/^could not renew lock/.test(error.message)) return;
    else if (isLost(error)) log.warn({ err: error, lane: name }, 'a job was no longer this worker’s');
    else log.error({ err: error, lane: name }, 'lane error');
  };
  worker.on('error', onError);
  worker.on('stalled', (job) => log.warn({ job }, 'a job’s lock ran out'));
  worker.on('lockRenewalFailed', sayLockless);
  worker.on('failed', (job, error) => {
    log.warn({ job: job?.id, attempt: job?.attemptsMade, why: error.message }, 'job failed');
    sweeping.now();
  });
  const wantShare = () => {
    if (inHand.size === 0) share.want(name).catch(onError);
  };
  const idleTimer = urgent ? undefined : setInterval(wantShare, IDLE_MS);
  return {
    name,
    /** Jobs taken so far. */
    taken: () => taken,
    /** Whether it would take one more now. */
    hasRoom: () => !isResting && !worker.closing && !worker.isPaused() && inHand.size < worker.concurrency,
    /** Jobs that could be taken at once. */
    waiting: async () =>
      (await redis.llen(queue.toKey('wait'))) + (await redis.zcard(queue.toKey('prioritized'))),
    /** Resolves when its connections are open; BullMQ does not open those again that Redis left before. */
    ready: Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]),
    /** Takes no more, and gives back what it has. */
    async giveBack(limitMs: number): Promise<GivenBack> {
      // Not awaited: it would wait for Redis.
      worker.pause(true).catch(() => {});
      return inHand.giveBack(limitMs);
    },
    async close() {
      clearInterval(idleTimer);
      closing.abort();
      await worker.close();
      await sweeping.stop();
      await queue.close();
    },
  };
}

export type Lane = ReturnType<typeof openLane>;
