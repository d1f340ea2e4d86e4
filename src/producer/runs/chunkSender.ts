import { setTimeout as delay } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import { chunkJobOptions } from '../../shared/fleet/lanes.ts';
import type { ImageRef } from '../../shared/refs/imageRef.ts';
import { encodeChunkJob, jobId } from '../../shared/runs/chunkJob.ts';
import type { Runs } from '../../shared/runs/runs.ts';

export interface ChunkSenderOptions {
  queue: Queue;
  runs: Runs;
  /** Leaves out of each chunk the images that are not to be added. */
  choose: (chunks: ImageRef[][]) => Promise<ImageRef[][]>;
  highWater: number;
  attempts: number;
  signal: AbortSignal | undefined;
}

/** Chunks that go together, so that a round trip to Redis serves many. */
const CHUNKS_MAX = 16;
const HIGH_WATER_POLL_MS = 100;

/**
 * Brings a run's chunks to Redis, several at a time: those that came while others were under way. So a fast source does not
 * wait for each, and a slow one's do not wait for more.
 *
 * Chunks are announced before their jobs are added. Whoever is cut off in between leaves announced chunks without a job.
 */
export async function createChunkSender(run: string, options: ChunkSenderOptions) {
  const { queue, runs, choose, highWater, attempts, signal } = options;
  let gathered: ImageRef[][] = [];
  let underWay: Promise<void> = Promise.resolve();
  let imagesUnderWay = 0;
  let added = 0;
  let pending = (await runs.get(run))?.pending ?? 0;

  async function add(chunks: ImageRef[][]): Promise<void> {
    const left = (await choose(chunks)).filter((images) => images.length > 0);
    if (left.length === 0) return;
    const first = await runs.reserveChunks(run, left.length);
    const answers = await Promise.all(left.map((images, i) => runs.announce(run, first + i, images.length)));
    const jobs = left.map((images, i) => {
      const opts = chunkJobOptions(jobId(run, String(first + i), 0), attempts);
      return { name: 'chunk', data: encodeChunkJob(images), opts };
    });
    await queue.addBulk(jobs);
    added += imagesIn(left);
    pending = answers.at(-1)!;
    while (pending >= highWater && !signal?.aborted) {
      await delay(HIGH_WATER_POLL_MS);
      pending = (await runs.get(run))?.pending ?? 0;
    }
  }

  function start(): void {
    const chunks = gathered;
    gathered = [];
    imagesUnderWay = imagesIn(chunks);
    underWay = add(chunks).finally(() => {
      imagesUnderWay = 0;
    });
    // Whoever waits for it next is told of its failure.
    underWay.catch(() => {});
  }

  const isFull = () =>
    gathered.length >= CHUNKS_MAX || pending + imagesUnderWay + imagesIn(gathered) >= highWater;

  return {
    /** Takes a chunk; resolves when there is room for another. Rejects with what an earlier one failed with. */
    async send(images: ImageRef[]): Promise<void> {
      gathered.push(images);
      if (imagesUnderWay === 0) start();
      while (isFull() && !signal?.aborted) {
        await underWay;
        if (gathered.length > 0) start();
      }
    },

    /** Resolves to the number of images added, when all that were taken are. */
    async finish(): Promise<number> {
      await underWay;
      if (gathered.length > 0) start();
      await underWay;
      return added;
    },
  };
}

function imagesIn(chunks: readonly ImageRef[][]): number {
  return chunks.reduce((sum, images) => sum + images.length, 0);
}
