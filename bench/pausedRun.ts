import { setTimeout as delay } from 'node:timers/promises';
import { Queue as Lane } from 'bullmq';
import { laneEventsMax, laneName } from '../src/shared/fleet/lanes.ts';
import type { LabelSet } from '../src/shared/labels/labelSet.ts';
import type { ImageRef } from '../src/shared/refs/imageRef.ts';
import { coreSecondsOf } from './redisInfo.ts';
import type { Queue } from './workers.ts';

/** How often Redis is asked whether jobs are left. The clock does not depend on it. */
const POLL_MS = 50;

/** A run all of which is enqueued, in a lane that is paused. */
export interface PausedRun {
  run: string;
  lane: string;
  /** Lets it be done, and resolves when it is. Once. */
  time(): Promise<RunTime>;
  /** Leaves the lane open for others. */
  close(): Promise<void>;
}

export interface RunTime {
  /** By Redis' clock, from the lane's resuming to the last job's completion. */
  ms: number;
  /** What the Redis server used of a core meanwhile, in seconds. */
  redisSeconds: number;
}

export async function enqueuePaused(
  queue: Queue,
  { model, labelSet }: { model: string; labelSet: LabelSet },
  images: Iterable<ImageRef>,
  chunkSize: number,
): Promise<PausedRun> {
  const { redis, producer } = queue;
  const name = laneName('bulk', model);
  const streams = { events: { maxLen: laneEventsMax } };
  const lane = new Lane(name, { connection: redis, prefix: 'clipfleet', streams });
  await lane.pause();
  const opened = await producer.openRun({ model, labelSet });
  await opened.add(images, { chunkSize, highWater: Number.POSITIVE_INFINITY });
  await opened.seal();
  await opened.close();
  return {
    run: opened.run,
    lane: name,
    time: () => timeLane(queue, lane),
    async close() {
      await lane.resume();
      await lane.close();
    },
  };
}

/**
 * The start is Redis' time just before the lane is resumed, the end that of BullMQ's event of the last completion: nothing
 * need be asked often while the clock runs, and no event of a job but the last must still be there.
 */
async function timeLane({ redis }: Queue, lane: Lane): Promise<RunTime> {
  const stream = lane.keys.events!;
  await redis.del(stream);
  const served = await coreSecondsOf(redis);
  const [seconds, micros] = await redis.time();
  await lane.resume();
  while ((await lane.getJobCountByTypes('waiting', 'active', 'delayed')) > 0) await delay(POLL_MS);
  const redisSeconds = (await coreSecondsOf(redis)) - served;
  // An event's id begins with its time in milliseconds.
  const last = (await redis.xrevrange(stream, '+', '-')).find(
    ([, fields]) => fields[fields.indexOf('event') + 1] === 'completed',
  );
  if (!last) throw new Error('Expected a job that is completed, got none: all failed.');
  const ended = Number(last[0].split('-')[0]);
  return { ms: ended - (Number(seconds) * 1_000 + Number(micros) / 1_000), redisSeconds };
}
