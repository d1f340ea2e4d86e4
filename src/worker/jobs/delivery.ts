import type { encodeChunkJob } from '../../shared/runs/chunkJob.ts';

/** A chunk job to be added to a lane. */
export interface NewChunkJob {
  id: string;
  data: ReturnType<typeof encodeChunkJob>;
  attempts: number;
}

/** One delivery of a job to this worker, as plain data: what the lane read of the job, and what it can do for it. */
export interface Delivery {
  /** `RUN.CHUNK.GENERATION`; undefined where whoever added the job named none. */
  id: string | undefined;
  /** What the job carries, unchecked. */
  data: unknown;
  /** Name of the lane it came from. */
  lane: string;
  /** Whether its images overtake others. */
  urgent: boolean;
  /** When the job was added, in epoch milliseconds. */
  addedAt: number;
  /** Attempts the job has altogether. */
  attempts: number;
  /** Whether no attempt is left after this one. */
  isLastAttempt: boolean;
  /**
   * Since when hosts have refused images of the job and let none of them through, in epoch milliseconds; 0 when they have not.
   * The job remembers it, because it has no other memory of earlier deliveries.
   */
  refusedSince: number;
  /** Adds jobs to the lane that this one came from. */
  addJobs(jobs: readonly NewChunkJob[]): Promise<void>;
}
