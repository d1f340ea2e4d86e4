import type { Redis } from 'ioredis';
import { type LaneKind, laneName } from '../../shared/fleet/lanes.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import { repliesOf } from '../../shared/redis/redisPipeline.ts';
import { parseJobId } from '../../shared/runs/chunkJob.ts';
import { decodeRun } from '../../shared/runs/run.ts';
import { isUnreadable } from '../../shared/runs/runErrors.ts';
import { together } from '../../shared/together.ts';

/** What a lane holds, in images. */
export interface LaneDepth {
  /** Identity of the model, `name@revision:dtype`. */
  model: string;
  lane: LaneKind;
  /** For a worker: now, or when their host or their next attempt is due. */
  waiting: number;
  /** In the hands of workers. */
  active: number;
  /** Of paused runs: no worker takes them before those are resumed. */
  held: number;
  /** How long ago the job was added that is next in the lane; 0 where none waits. Jobs of paused runs are passed over. */
  oldestMs: number;
}

interface RunImages {
  pending: number;
  active: number;
  isPaused: boolean;
}

const nothing: RunImages = { pending: 0, active: 0, isPaused: false };

/**
 * How many images a lane holds, from the ledgers of the runs whose jobs are in it. It costs as much as there is waiting, whatever is stored.
 *
 * The jobs are read at one moment, so that one which moves from one state to another is never overlooked: as long as a worker holds images
 * that have no row, `waiting + active + held` is not 0. Chunks whose job is lost are no images for a worker, and do not count.
 */
export async function readLaneDepth(
  { redis, keys, prefix }: { redis: Redis; keys: Keys; prefix: string },
  model: string,
  lane: LaneKind,
): Promise<LaneDepth> {
  const key = (name: string) => `${prefix}:${laneName(lane, model)}:${name}`;
  const at = redis.multi();
  for (const list of ['wait', 'paused', 'active']) at.lrange(key(list), 0, -1);
  for (const set of ['prioritized', 'delayed']) at.zrange(key(set), '0', '-1');
  const lists = await repliesOf<string[]>(at);
  const births = new Map<string, string>();
  for (const id of lists.flat()) {
    const name = parseJobId(id);
    if (name) births.set(name.run, name.birth ?? births.get(name.run) ?? '');
  }
  const named = [...births];
  const read = await together(named, ([run, birth]) => readRun(redis, keys, run, birth));
  const images = new Map(named.map(([run], i) => [run, read[i]!]));
  const sum = (of: (each: RunImages) => number) => read.reduce((total, each) => total + of(each), 0);
  // Workers take from the end of the list.
  const next = lists[0]!.findLast((id) => {
    const run = images.get(parseJobId(id)?.run ?? '');
    return run !== undefined && run.pending > 0 && !run.isPaused;
  });
  const added = next === undefined ? null : await redis.hget(key(next), 'timestamp');
  return {
    ...{ model, lane },
    waiting: sum(({ pending, active, isPaused }) => (isPaused ? 0 : pending - active)),
    active: sum(({ active }) => active),
    held: sum(({ pending, active, isPaused }) => (isPaused ? pending - active : 0)),
    oldestMs: added === null ? 0 : Math.max(0, Date.now() - Number(added)),
  };
}

/** What cannot be read, is cancelled or of another birth than its jobs has nothing for a worker to do. */
async function readRun(redis: Redis, keys: Keys, run: string, birth: string): Promise<RunImages> {
  try {
    const both = redis.multi().hgetall(keys.run(run)).hvals(keys.active(run));
    const [record, held] = (await repliesOf(both)) as [Record<string, string>, string[]];
    if (record.model === undefined || (birth !== '' && record.birth !== birth)) return nothing;
    const { pending, paused, state } = decodeRun(run, record);
    if (state === 'cancelled') return nothing;
    const active = held.reduce((total, text) => total + Number.parseInt(text, 10), 0);
    return { pending, active: Math.min(active, pending), isPaused: paused !== undefined };
  } catch (error) {
    if (isUnreadable(error)) return nothing;
    throw error;
  }
}
