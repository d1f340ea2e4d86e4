import { DelayedError, type Job, Worker as LaneWorker, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { laneEventsMax } from '../../shared/fleet/lanes.ts';
import type { Logger } from '../../shared/log.ts';
import type { Config } from '../../shared/options/config.ts';
import type { ResultsStore } from '../../shared/rows/resultsStore.ts';
import type { Runs } from '../../shared/runs/runs.ts';
import { createJobsInHand, type GivenBack } from './jobsInHand.ts';
import type { LaneShare } from './shareLane.ts';
import { sweep } from './sweep.ts';

export interface LaneContext {
  redis: Redis;
  prefix: string;
  store: ResultsStore;
  runs: Runs;
  log: Logger;
  consume: (job: Job, token: string | undefined, urgent: boolean, lane: Queue) => Promise<void>;
  share: LaneShare;
  imagesInFlight: number;
  /** Images of this worker's jobs that wait for a host's turn and hold nothing. */
  waiting: () => number;
}

/** How long BullMQ waits after a connection that failed before it tries again. */
const RETRY_MS = 1_000;

/** How often a worker without a job says so. */
const IDLE_MS = 500;

/** The wait before an attempt, in milliseconds: 1 s, 2 s, 4 s, ..., of which up to half is taken off by chance. */
function backoffStrategy(attemptsMade: number): number {
  return Math.round(1_000 * 2 ** (attemptsMade - 1) * (1 - Math.random() / 2));
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
  { redis, prefix, store, runs, log, consume, share, imagesInFlight, waiting }: LaneContext,
  { lockMs, stalledMax }: Config<'lockMs' | 'stalledMax'>,
) {
  const connection = { connection: redis, prefix };
  const queue = new Queue(name, { ...connection, streams: { events: { maxLen: laneEventsMax } } });
  let jobImages = imagesInFlight;
  const inHand = createJobsInHand(runs, () => new DelayedError());
  const process = async (job: Job, token?: string) => {
    jobImages += (imagesIn(job) - jobImages) / 4;
    worker.concurrency = Math.max(2, Math.ceil((imagesInFlight + waiting()) / jobImages));
    await inHand.hold(job, token, () => consume(job, token, urgent, queue));
  };
  const worker = new LaneWorker(name, process, {
    ...connection,
    concurrency: 2,
    lockDuration: lockMs,
    stalledInterval: lockMs,
    maxStalledCount: stalledMax,
    runRetryDelay: RETRY_MS,
    // Rows are the record of what happened, so a completed job leaves at once; one that BullMQ failed itself stays until
    // the sweep has written its rows.
    removeOnComplete: { count: 0 },
    settings: { backoffStrategy },
  });

  let sweeping: Promise<void> = Promise.resolve();
  const sweepAfterwards = () => {
    sweeping = sweeping
      .then(() => sweep(queue, { store, runs, log }))
      .catch((error: Error) => {
        log.error({ err: error, lane: name }, 'sweep failed');
      });
  };
  sweepAfterwards();
  const timer = setInterval(sweepAfterwards, lockMs);
  const wantShare = () => {
    if (inHand.size === 0)
      share.want(name).catch((error: Error) => log.error({ err: error, lane: name }, 'share'));
  };
  const idleTimer = urgent ? undefined : setInterval(wantShare, IDLE_MS);

  worker.on('error', (error) => log.error({ err: error, lane: name }, 'lane error'));
  queue.on('error', (error) => log.error({ err: error, lane: name }, 'lane error'));
  worker.on('stalled', (job) => log.warn({ job }, 'job lost its worker'));
  worker.on('failed', (job, error) => {
    log.warn({ job: job?.id, attempt: job?.attemptsMade }, error.message);
    if (job?.finishedOn !== undefined) sweepAfterwards();
  });
  return {
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
      await worker.close();
      clearInterval(timer);
      await sweeping;
      await queue.close();
    },
  };
}

function imagesIn(job: Job): number {
  const images = (job.data as { images?: unknown } | null)?.images;
  return Array.isArray(images) ? Math.max(1, images.length / 2) : 1;
}
