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
import { cancelledRun } from '../../shared/runs/runErrors.ts';
import type { RunningWorker } from '../../worker/worker.ts';
import type { Context } from '../setup/context.ts';
import { followRun } from '../terminal/follow.ts';
import { unlessInterrupted } from '../terminal/interrupt.ts';
import { createProgress } from '../terminal/progress.ts';
import { sampleBottleneck } from './privateWorker.ts';

type AddConfig = Config<'chunkSize' | 'highWater' | 'attempts'>;

/** Adds the images to the run and labels them with a worker in this process, until the run or the signal ends it. */
export async function workUntilEnded(
  context: Context,
  config: AddConfig,
  worker: RunningWorker,
  openRun: OpenRun,
  refs: AsyncIterable<ImageRef>,
  signal: AbortSignal,
): Promise<void> {
  const { producer } = context;
  const before = await producer.store.counts(openRun.run);
  const progress = createProgress(before.classified + before.failed);
  const add = () =>
    unlessInterrupted(signal, async () => {
      await openRun.add(refs, { ...config, signal });
      await openRun.seal();
    });
  try {
    const bottleneck = sampleBottleneck(worker);
    const following = followRun(producer, openRun.run, progress, { signal, bottleneck, untilPaused: true });
    const done = Promise.all([following.then(refuseHeld(openRun.run)), add()]);
    await Promise.race([done, worker.died]);
  } finally {
    progress.stop();
    await openRun.close();
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
export async function openPrivateLane(run: string, { redis, prefix, producer }: Context): Promise<Queue> {
  const lane = openLaneQueue(privateLaneName(run), { redis, prefix });
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
