import type { Job, Queue } from 'bullmq';
import { encodeChunkJob, jobId } from '../shared/chunkJob.ts';
import { chunkJobOptions } from '../shared/lanes.ts';
import type { Runs } from '../shared/runs.ts';
import type { TakenChunk } from './intake.ts';
import type { Todo } from './labelImages.ts';

interface GiveAwayOptions {
  runs: Runs;
  lane: Queue;
  job: Job;
  chunk: TakenChunk;
  /** Most images of one part. */
  batchSize: number;
}

/**
 * Puts images back into the lane, as parts of their chunk that are pending by themselves. Resolves to false where there is
 * nothing to give, because another delivery of the job has finished the chunk.
 *
 * Parts are in the ledger before they have jobs. Whoever is cut off in between leaves the chunk's own job, which is
 * delivered again with all its images; when it is done, so are the parts.
 */
export async function giveAway(
  { runs, lane, job, chunk, batchSize }: GiveAwayOptions,
  images: readonly Todo[],
): Promise<boolean> {
  const parts: Todo[][] = [];
  for (let from = 0; from < images.length; from += batchSize)
    parts.push(images.slice(from, from + batchSize));
  const sizes = parts.map(({ length }) => length);
  const first = await runs.split(chunk.run, chunk.chunk, sizes);
  if (first === 0) return false;
  const attempts = job.opts.attempts ?? 1;
  const jobs = parts.map((part, i) => {
    const id = jobId(chunk.run, `${chunk.chunk}/${first + i}`, chunk.generation);
    const data = encodeChunkJob(
      part.map(({ ref }) => ref),
      part.map(({ place }) => place.index),
    );
    return { name: 'chunk', data, opts: chunkJobOptions(id, attempts) };
  });
  await lane.addBulk(jobs);
  return true;
}
