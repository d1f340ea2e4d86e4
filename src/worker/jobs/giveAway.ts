import { setImmediate as immediate } from 'node:timers/promises';
import type { PieceOfWork } from '../../shared/fleet/chunkJobs.ts';
import type { Runs } from '../../shared/runs/runs.ts';
import type { Delivery } from './delivery.ts';
import type { TakenChunk } from './intake.ts';
import type { Todo } from './labelImages.ts';

interface GiveAwayOptions {
  runs: Pick<Runs, 'split'>;
  delivery: Pick<Delivery, 'addJobs' | 'attempts'>;
  chunk: Omit<TakenChunk, 'images' | 'labelSet'>;
  /** Most images of one part. */
  batchSize: number;
}

/** What was given away of a chunk. */
export interface GivenAway {
  /** Images that are in the lane again. */
  given: number;
  /** Whether another delivery of the job has divided or finished the chunk meanwhile: then nothing more is given. */
  isOvertaken: boolean;
}

/**
 * Puts images back into the lane, as parts of their chunk that are pending by themselves.
 *
 * Parts are in the ledger before they have jobs. Whoever is cut off in between leaves the chunk's own job, which is
 * delivered again with all its images; when it is done, so are the parts.
 */
export function createGiveAway({ runs, delivery, chunk, batchSize }: GiveAwayOptions) {
  const given: GivenAway = { given: 0, isOvertaken: false };
  let gathered: Todo[] = [];
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
    const first = await runs.split(chunk, chunk.chunk, sizes);
    if (first === 0) {
      given.isOvertaken = true;
      return;
    }
    await delivery.addJobs(chunk, piecesOf(chunk, parts, first), delivery.attempts);
    given.given += images.length;
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
    /** Resolves when all that were added are in the lane. */
    async done(): Promise<GivenAway> {
      await giving;
      return given;
    },
  };
}

/** Parts of a chunk, as work for a lane. `first` is the number of the first part. */
export function piecesOf(
  { chunk, generation }: Pick<TakenChunk, 'chunk' | 'generation'>,
  parts: readonly Todo[][],
  first: number,
): PieceOfWork[] {
  return parts.map((part, i) => ({
    piece: `${chunk}/${first + i}`,
    generation,
    images: part.map(({ ref }) => ref),
    indexes: part.map(({ place }) => place.index),
  }));
}
