import type { Redis } from 'ioredis';
import { laneKinds } from '../../shared/fleet/lanes.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import type { RunControl } from '../../shared/runs/runControl.ts';
import { type LaneDepth, readLaneDepth } from './laneDepth.ts';
import { countRunStates, type RunStates } from './runStates.ts';

/** What there is for a fleet to do. */
export function createFleetView(from: { redis: Redis; keys: Keys; prefix: string; control: RunControl }) {
  return {
    /** What waits for workers of a model, and what they have in hand, in images: of each of its shared lanes. */
    laneDepths: (model: string): Promise<LaneDepth[]> =>
      Promise.all(laneKinds.map((lane) => readLaneDepth(from, model, lane))),

    /** How many runs there are in each state. It looks at each run once. */
    runStates: (): Promise<RunStates> => countRunStates(from.redis, from.keys, from.control),
  };
}
