import type { JobsOptions } from 'bullmq';
import { modelKey } from './modelIdentity.ts';

/**
 * A lane is a BullMQ queue of one model. Its name is the hash tag of its keys, so that it fits Redis Cluster.
 *
 * `bulk` and `interactive` of one model feed the same batcher; an interactive image overtakes. A private lane belongs to
 * one run of `clipfleet label`: no fleet on the same Redis takes jobs from it.
 */
export type LaneKind = 'bulk' | 'interactive';

export function laneName(kind: LaneKind, model: string): string {
  return `{${kind}-${modelKey(model)}}`;
}

export function privateLaneName(run: string): string {
  return `{label-${run}}`;
}

/** A job's id is the chunk's name: adding a chunk twice adds one job. */
export function jobId(run: string, chunk: number, generation: number): string {
  return `${run}.${chunk}.${generation}`;
}

/**
 * How a chunk's job is kept and retried. Rows are the record of what happened, so a completed job leaves at once; a job
 * that BullMQ failed itself stays until the sweeper has written its rows.
 */
export function chunkJobOptions(id: string, attempts: number): JobsOptions {
  return {
    jobId: id,
    attempts,
    backoff: { type: 'exponential', delay: 1_000, jitter: 0.5 },
    removeOnComplete: true,
    removeOnFail: false,
    keepLogs: 0,
  };
}

/** BullMQ keeps a stream of events per queue; nothing of ours reads it, so it is kept short. */
export const laneEventsMax = 1_000;
