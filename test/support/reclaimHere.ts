import type { Queue } from 'bullmq';
import { reclaimLane } from '../../src/producer/runs/reclaimLane.ts';
import { createHeartbeats } from '../../src/shared/fleet/heartbeats.ts';
import { keysUnder } from '../../src/shared/redis/keys.ts';
import { createLosses } from '../../src/shared/runs/losses.ts';
import type { Fleet } from './fleet.ts';

/** What `clipfleet label` does with its lane before it continues run `r`. */
export function reclaimHere({ redis, producer }: Fleet, lane: Queue): Promise<Set<string>> {
  const keys = keysUnder('clipfleet');
  const [losses, heartbeats] = [createLosses(redis, keys), createHeartbeats(redis, keys)];
  return reclaimLane('r', lane, { ...producer, losses, heartbeats });
}
