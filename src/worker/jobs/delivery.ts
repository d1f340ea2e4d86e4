import type { RunName } from '../../shared/birth.ts';
import type { PieceOfWork } from '../../shared/fleet/chunkJobs.ts';

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
  /** Whether the job was never delivered before: then none of its images has a row of its making. */
  isFirst: boolean;
  /** Whether no attempt is left after this one. */
  isLastAttempt: boolean;
  /**
   * Since when hosts have refused images of the job and let none of them through, in epoch milliseconds; 0 when they have not.
   * The job remembers it, because it has no other memory of earlier deliveries.
   */
  refusedSince: number;
  /** Adds jobs of pieces of a run to the lane that this one came from. */
  addJobs(run: RunName, pieces: readonly PieceOfWork[], attempts: number): Promise<void>;
}

/** What is read of BullMQ's job. */
interface JobFields {
  id?: string | undefined;
  data: unknown;
  timestamp: number;
  attemptsMade: number;
  attemptsStarted: number;
  opts: { attempts?: number };
  progress: unknown;
}

/** A job as plain data. */
export function deliveryOf(job: JobFields, lane: Pick<Delivery, 'lane' | 'urgent' | 'addJobs'>): Delivery {
  const attempts = job.opts.attempts ?? 1;
  return {
    id: job.id,
    data: job.data,
    ...lane,
    addedAt: job.timestamp,
    attempts,
    isFirst: job.attemptsStarted <= 1,
    isLastAttempt: job.attemptsMade + 1 >= attempts,
    refusedSince: refusedSinceOf(job),
  };
}

/** What the job remembers of refusals stands in its progress. */
export function refusedSinceOf({ progress }: Pick<JobFields, 'progress'>): number {
  return typeof progress === 'number' ? progress : 0;
}

/** Images of a job that is not checked yet, at least 1. */
export function imagesIn({ data }: Pick<JobFields, 'data'>): number {
  const images = (data as { images?: unknown } | null)?.images;
  return Array.isArray(images) ? Math.max(1, images.length / 2) : 1;
}
