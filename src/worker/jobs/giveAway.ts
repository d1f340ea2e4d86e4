import { setImmediate as immediate } from 'node:timers/promises';
import type { Job, Queue } from 'bullmq';
import { addChunkJobs } from '../../shared/fleet/chunkJobs.ts';
import type { Runs } from '../../shared/runs/runs.ts';
import type { TakenChunk } from './intake.ts';
import type { Todo } from './labelImages.ts';
import { PutOff } from './putOff.ts';

interface GiveAwayOptions {
  runs: Runs;
  lane: Queue;
  job: Job;
  chunk: TakenChunk;
  /** Most images of one part. */
  batchSize: number;
}

/**
 * Puts images back into the lane, as parts of their chunk that are pending by themselves.
 *
 * Parts are in the ledger before they have jobs. Whoever is cut off in between leaves the chunk's own job, which is
 * delivered again with all its images; when it is done, so are the parts.
 */
export function createGiveAway({ runs, lane, job, chunk, batchSize }: GiveAwayOptions) {
  const { run, chunk: number, generation } = chunk;
  let gathered: Todo[] = [];
  let given = 0;
  let giving: Promise<void> = Promise.resolve();

  async function give(): Promise<void> {
    // Images that are called back together go together.
    await immediate();
    const images = gathered;
    gathered = [];
    const parts: Todo[][] = [];
    for (let from = 0; from < images.length; from += batchSize)
      parts.push(images.slice(from, from + batchSize));
    const sizes = parts.map(({ length }) => length);
    const first = await runs.split(run, number, sizes);
    // Another delivery of the job has divided or finished the chunk: the next one will see what is left to do.
    if (first === 0) throw new PutOff(0);
    const pieces = parts.map((part, i) => ({
      piece: `${number}/${first + i}`,
      generation,
      images: part.map(({ ref }) => ref),
      indexes: part.map(({ place }) => place.index),
    }));
    await addChunkJobs(lane, run, pieces, job.opts.attempts ?? 1);
    given += images.length;
  }

  return {
    /** Gives it away at once: whoever has nothing to do should not wait for what has begun here. */
    add(image: Todo): void {
      gathered.push(image);
      if (gathered.length > 1) return;
      giving = giving.then(give);
      // Whoever waits for the end is told of it.
      giving.catch(() => {});
    },
    /** Resolves to how many were given, when they are in the lane. */
    async done(): Promise<number> {
      await giving;
      return given;
    },
  };
}
