import { setTimeout as delay } from 'node:timers/promises';
import { Queue as Lane } from 'bullmq';
import type { ImageRef } from '../src/shared/imageRef.ts';
import type { LabelSet } from '../src/shared/labelSet.ts';
import { laneEventsMax, laneName } from '../src/shared/lanes.ts';
import type { Queue, WorkerProcess } from './workers.ts';

export interface TimedRun {
  /** Images a second, by the clock described at `timeRun`. */
  rate: number;
  /** Milliseconds of a core that an image took of the worker, and of the Redis server. */
  workerMs: number;
  redisMs: number;
}

/**
 * A run through the worker, all of it enqueued before the worker may begin: the lane is paused meanwhile.
 *
 * The clock is Redis': it starts when the lane is resumed and stops when the last job completes, whose rows are stored then
 * and with which the run is complete. So the first images' way through an idle worker and the last ones' through an
 * emptying one are in it. Both times are those of BullMQ's event stream: nothing need be asked while the clock runs.
 */
export async function timeRun(
  queue: Queue,
  worker: WorkerProcess,
  labelSet: LabelSet,
  images: readonly ImageRef[],
  chunkSize = 32,
): Promise<TimedRun> {
  const { redis, producer } = queue;
  const name = laneName('bulk', worker.model);
  const lane = new Lane(name, {
    connection: redis,
    prefix: 'clipfleet',
    streams: { events: { maxLen: laneEventsMax } },
  });
  try {
    await lane.pause();
    const opened = await producer.openRun({ model: worker.model, labelSet });
    await opened.add(images, { chunkSize });
    await opened.seal();
    await opened.close();
    await redis.del(lane.keys.events!);

    const worked = await worker.coreSeconds();
    const served = await redisSeconds(queue);
    await lane.resume();
    while ((await producer.runs.get(opened.run))?.state !== 'complete') await delay(100);
    const coreMs = (seconds: number) => (seconds * 1000) / images.length;
    const cost = {
      workerMs: coreMs((await worker.coreSeconds()) - worked),
      redisMs: coreMs((await redisSeconds(queue)) - served),
    };
    await refuseFailures(queue, opened.run);
    const ms = await durationOf(queue, lane.keys.events!, Math.ceil(images.length / chunkSize));
    return { rate: (images.length * 1000) / ms, ...cost };
  } finally {
    await lane.resume();
    await lane.close();
  }
}

/** From the lane's resuming to the last job's completion. Its event may come a moment after the run is complete. */
async function durationOf({ redis }: Queue, stream: string, jobs: number): Promise<number> {
  for (;;) {
    const entries = await redis.xrange(stream, '-', '+');
    const timesOf = (event: string) =>
      entries
        .filter(([, fields]) => fields[fields.indexOf('event') + 1] === event)
        .map(([id]) => Number(id.split('-')[0]));
    const [resumed, completed] = [timesOf('resumed'), timesOf('completed')];
    if (completed.length >= jobs) return completed.at(-1)! - resumed[0]!;
    await delay(10);
  }
}

/** A run with failed images is no measurement. */
async function refuseFailures({ producer }: Queue, run: string): Promise<void> {
  const { failed } = await producer.progress(run);
  if (failed === 0) return;
  for await (const row of producer.rows(run))
    if (row.status === 'failed')
      throw new Error(`${failed} images failed; one of them: ${row.error.message}`);
}

async function redisSeconds({ redis }: Queue): Promise<number> {
  const info = await redis.info('cpu');
  const field = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1]);
  return field('used_cpu_sys') + field('used_cpu_user');
}
