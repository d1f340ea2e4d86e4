import { setTimeout as delay } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import { CHUNK_IMAGES_MAX, WIRE_VERSION } from '../shared/chunkJob.ts';
import { ClipfleetError } from '../shared/errors.ts';
import { type ImageRef, imageRefSchema } from '../shared/imageRef.ts';
import { chunkJobOptions, jobId } from '../shared/lanes.ts';
import type { ResultsStore } from '../shared/resultsStore.ts';
import type { Run, Runs } from '../shared/runs.ts';

export interface AddOptions {
  /** Images a job carries, 1 to 256. */
  chunkSize?: number;
  /** Images of the run that may wait in Redis; adding pauses above it. */
  highWater?: number;
  /** How often an image is tried when its error may pass. */
  attempts?: number;
  /** Ends the adding after the chunk at hand. */
  signal?: AbortSignal;
}

/** A run that images can be added to. */
export interface OpenRun {
  readonly run: string;
  /**
   * Adds images chunk by chunk. Of a run that is continued, images that have their row are passed over.
   * Resolves to the number of images added.
   *
   * @throws RUN_SEALED, USAGE for a ref that is none
   */
  add(images: AsyncIterable<ImageRef> | Iterable<ImageRef>, options?: AddOptions): Promise<number>;
  /** Says that nothing more comes: the run is complete when all its images have rows. */
  seal(): Promise<void>;
  close(): Promise<void>;
}

const HIGH_WATER_POLL_MS = 100;

/** @param record the run as its ledger has it; one that has chunks already is continued */
export function createOpenRun(record: Run, queue: Queue, runs: Runs, store: ResultsStore): OpenRun {
  const { run, labelSet } = record;
  const continued = record.chunks > 0;
  let nextChunk = record.chunks;

  /** Chunks whose producer was cut off between announcing them and adding their job would keep the run open for ever. */
  async function withdrawLostChunks(): Promise<void> {
    for (const chunk of await runs.pendingChunks(run)) {
      if (!(await queue.getJob(jobId(run, chunk, 0)))) await runs.withdraw(run, chunk);
    }
  }

  async function addChunk(images: ImageRef[], attempts: number): Promise<number> {
    const chunk = nextChunk++;
    const data = { v: WIRE_VERSION, run, chunk, generation: 0, labelSet, images };
    const pending = await runs.announce(run, chunk, images.length);
    await queue.add('chunk', data, chunkJobOptions(jobId(run, chunk, 0), attempts));
    return pending;
  }

  return {
    run,
    async add(images, { chunkSize = 32, highWater = 100_000, attempts = 3, signal } = {}) {
      if (!Number.isInteger(chunkSize) || chunkSize < 1 || chunkSize > CHUNK_IMAGES_MAX) {
        throw new ClipfleetError(
          'USAGE',
          `Expected chunkSize from 1 to ${CHUNK_IMAGES_MAX}, got ${chunkSize}.`,
        );
      }
      if (continued) await withdrawLostChunks();
      let added = 0;
      for await (const chunk of inChunks(images, chunkSize)) {
        const left = continued ? await withoutRow(store, run, chunk) : chunk;
        if (left.length > 0) {
          const pending = await addChunk(left, attempts);
          added += left.length;
          if (pending >= highWater) await belowHighWater(runs, run, highWater, signal);
        }
        if (signal?.aborted) break;
      }
      return added;
    },
    seal: () => runs.seal(run),
    close: () => queue.close(),
  };
}

async function withoutRow(store: ResultsStore, run: string, images: ImageRef[]): Promise<ImageRef[]> {
  const done = await store.has(
    run,
    images.map(({ id }) => id),
    0,
  );
  return images.filter(({ id }) => !done.has(id));
}

async function belowHighWater(runs: Runs, run: string, highWater: number, signal: AbortSignal | undefined) {
  while (!signal?.aborted && ((await runs.get(run))?.pending ?? 0) >= highWater)
    await delay(HIGH_WATER_POLL_MS);
}

async function* inChunks(images: AsyncIterable<ImageRef> | Iterable<ImageRef>, size: number) {
  let chunk: ImageRef[] = [];
  for await (const image of images) {
    chunk.push(checked(image));
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

/** A worker could make no row for a ref without an id: it is refused here, where somebody can correct it. */
function checked(image: ImageRef): ImageRef {
  const parsed = imageRefSchema.safeParse(image);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  const got = JSON.stringify(image)?.slice(0, 200);
  throw new ClipfleetError(
    'USAGE',
    `Expected an image ref { id, uri }: ${path.join('.')}: ${message}; got ${got}.`,
  );
}
