import type { Queue } from 'bullmq';
import type { OpenRun } from '../../producer/runs/openRun.ts';
import { reclaimLane } from '../../producer/runs/reclaimLane.ts';
import type { RunProgress } from '../../producer/runs/runProgress.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import { createHeartbeats } from '../../shared/fleet/heartbeats.ts';
import { openLaneQueue } from '../../shared/fleet/laneQueue.ts';
import { privateLaneName } from '../../shared/fleet/lanes.ts';
import type { Config } from '../../shared/options/config.ts';
import { keysUnder } from '../../shared/redis/keys.ts';
import type { ImageRef } from '../../shared/refs/imageRef.ts';
import { createLosses } from '../../shared/runs/losses.ts';
import { cancelledRun, ifLost } from '../../shared/runs/runErrors.ts';
import type { RunningWorker } from '../../worker/worker.ts';
import type { Context } from '../setup/context.ts';
import { unlessInterrupted } from '../terminal/interrupt.ts';
import { createLossRepair, type SourceAgain } from '../terminal/lostImages.ts';
import { followRun } from '../terminal/progress/follow.ts';
import { createProgress } from '../terminal/progress/progress.ts';
import { sampleBottleneck } from './privateWorker.ts';

type AddConfig = Config<'chunkSize' | 'highWater' | 'attempts'>;

/** Adds the images to the run and labels them with a worker in this process, until the run or the signal ends it. */
export async function workUntilEnded(
  context: Context,
  config: AddConfig,
  worker: RunningWorker,
  openRun: OpenRun,
  { refs, again }: { refs: AsyncIterable<ImageRef>; again: SourceAgain },
  signal: AbortSignal,
): Promise<void> {
  const { producer } = context;
  const before = await producer.store.counts(openRun.run);
  const progress = createProgress(before.classified + before.failed);
  const bottleneck = sampleBottleneck(worker);
  /** Adds and follows; resolves to how many images Redis has lost meanwhile, which are to be added again. */
  async function round(from: AsyncIterable<ImageRef>): Promise<number> {
    const [ended, lost] = [new AbortController(), new AbortController()];
    let missing = 0;
    const add = () =>
      unlessInterrupted(signal, async () => {
        await openRun.add(from, { ...config, signal });
        await openRun.seal();
        missing = await confirmed(openRun, signal, ended.signal);
        if (missing > 0) lost.abort();
      });
    const how = { signal: AbortSignal.any([signal, lost.signal]), bottleneck, untilPaused: true };
    const follow = async () => {
      refuseHeld(openRun.run)(await followRun(producer, openRun.run, progress, how));
      ended.abort();
    };
    await Promise.all([follow(), add()]);
    return missing;
  }
  try {
    const repair = createLossRepair(openRun.run, again);
    for (let from = refs; ; ) {
      const missing = await Promise.race([round(from).catch(ifLost(openRun.run)), worker.died]);
      if (missing === 0) break;
      from = repair(missing);
    }
  } finally {
    progress.stop();
    await openRun.close();
  }
}

/** How many images Redis has lost. Of a run that has ended, what is there now counts: its rows are read at once. */
async function confirmed(openRun: OpenRun, signal: AbortSignal, ended: AbortSignal): Promise<number> {
  try {
    return await openRun.confirm({ signal: AbortSignal.any([signal, ended]) });
  } catch (error) {
    if (signal.aborted || !ended.aborted) throw error;
    return openRun.confirm({ signal, onDisk: false });
  }
}

/** What ends the work without being its end: with nobody to resume it, a paused run would wait for ever. */
function refuseHeld(run: string): (progress: RunProgress | undefined) => void {
  return (progress) => {
    if (progress?.state === 'cancelled') throw cancelledRun(run);
    if (progress?.paused === undefined) return;
    const message = `Run '${run}' was paused: ${progress.paused}. The same command with --run ${run} goes on with it; --max-failure-rate 1 lets all of them fail.`;
    throw new ClipfleetError('RUN_PAUSED', message);
  };
}

/**
 * The run's own queue, which holds nothing but the failed images that `retry` has added for another try.
 *
 * @throws RUN_BUSY
 */
export async function openPrivateLane(run: string, context: Context): Promise<Queue> {
  const { redis, prefix, producer, onError } = context;
  const lane = openLaneQueue(privateLaneName(run), { redis, prefix, onError });
  if ((await lane.getWorkersCount()) > 0) {
    const message = 'Another process is labeling this run: wait for it, or give another --run.';
    throw new ClipfleetError('RUN_BUSY', message);
  }
  const keys = keysUnder(prefix);
  const losses = createLosses(redis, keys);
  const heartbeats = createHeartbeats(redis, keys);
  const again = await reclaimLane(run, lane, { ...producer, losses, heartbeats });
  if (again.size > 0) await producer.retry(run, { only: again });
  return lane;
}
