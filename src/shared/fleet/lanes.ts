import type { JobsOptions } from 'bullmq';
import { modelKey } from './modelIdentity.ts';

/**
 * A lane is a BullMQ queue of one model. Its name is the hash tag of its keys, so that it fits Redis Cluster.
 *
 * `bulk` and `interactive` of one model feed the same batcher; an interactive image overtakes. A private lane belongs to
 * one run of `clipfleet label`: no fleet on the same Redis takes jobs from it.
 */
export const laneKinds = ['bulk', 'interactive'] as const;
export type LaneKind = (typeof laneKinds)[number];

export function laneName(kind: LaneKind, model: string): string {
  return `{${kind}-${modelKey(model)}}`;
}

export function privateLaneName(run: string): string {
  return `{label-${run}}`;
}

/** How a chunk's job is tried again; the worker knows how long to wait. As short as can be, because each job keeps it. */
export function chunkJobOptions(id: string, attempts: number): JobsOptions {
  return { jobId: id, attempts, backoff: { type: 'custom' } };
}

/** BullMQ keeps a stream of events per queue; nothing of ours reads it, so it is kept short. */
export const laneEventsMax = 1_000;
