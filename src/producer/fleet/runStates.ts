import type { Redis } from 'ioredis';
import type { Keys } from '../../shared/redis/keys.ts';
import { decodeRun } from '../../shared/runs/run.ts';
import type { RunControl } from '../../shared/runs/runControl.ts';
import { isUnreadable } from '../../shared/runs/runErrors.ts';
import { together } from '../../shared/together.ts';

/** In which of these a run is; a paused one is open or sealed besides. */
export const runStates = ['open', 'sealed', 'paused', 'complete', 'cancelled', 'unreadable'] as const;

export type RunStates = Record<(typeof runStates)[number], number>;

/** How many runs there are in each state. Single images, whose runs expire, are not among them. */
export async function countRunStates(redis: Redis, keys: Keys, control: RunControl): Promise<RunStates> {
  const ids: string[] = [];
  for await (const run of control.list()) ids.push(run);
  const states = Object.fromEntries(runStates.map((state) => [state, 0])) as RunStates;
  await together(ids, async (run) => {
    const state = await stateOf(redis, keys, run);
    if (state) states[state]++;
  });
  return states;
}

async function stateOf(redis: Redis, keys: Keys, run: string): Promise<keyof RunStates | undefined> {
  try {
    const record = await redis.hgetall(keys.run(run));
    // Removed since it was found, or of a single image.
    if (record.model === undefined || record.expiresAt !== undefined) return undefined;
    const { state, paused } = decodeRun(run, record);
    const isGoingOn = state === 'open' || state === 'sealed';
    return isGoingOn && paused !== undefined ? 'paused' : state;
  } catch (error) {
    if (isUnreadable(error)) return 'unreadable';
    throw error;
  }
}
