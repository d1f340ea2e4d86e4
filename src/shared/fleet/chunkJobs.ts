import type { Queue } from 'bullmq';
import type { RunName } from '../birth.ts';
import type { ImageRef } from '../refs/imageRef.ts';
import { encodeChunkJob, jobId } from '../runs/chunkJob.ts';
import { chunkJobOptions } from './lanes.ts';

/** A chunk or a part of one that the run's ledger has as pending, and that has no job yet. */
export interface PieceOfWork {
  /** `CHUNK` or `CHUNK/PART`. */
  piece: string;
  generation: number;
  images: readonly ImageRef[];
  /** Of a part: where its images stood in the whole chunk. */
  indexes?: number[];
}

/** What a job is added to: a lane's queue. */
export type JobTaker = Pick<Queue, 'addBulk'>;

/**
 * Adds the jobs of pieces in one round trip. This is the only place where jobs are written: for new images, for those that
 * are retried and for those that a worker gives away. A piece that has its job already gets no second one.
 */
export async function addChunkJobs(
  lane: JobTaker,
  run: RunName,
  pieces: readonly PieceOfWork[],
  attempts: number,
): Promise<void> {
  const jobs = pieces.map(({ piece, generation, images, indexes }) => ({
    name: 'chunk',
    data: encodeChunkJob(images, indexes),
    opts: chunkJobOptions(jobId(run, piece, generation), attempts),
  }));
  await lane.addBulk(jobs);
}
