import type { Queue } from 'bullmq';
import { ClipfleetError } from '../../shared/errors.ts';
import { defaultOf } from '../../shared/options/config.ts';
import { type ImageRef, imageRefSchema } from '../../shared/refs/imageRef.ts';
import type { ResultsStore } from '../../shared/rows/resultsStore.ts';
import { CHUNK_IMAGES_MAX } from '../../shared/runs/chunkJob.ts';
import type { Run } from '../../shared/runs/run.ts';
import type { Runs } from '../../shared/runs/runs.ts';
import { createChunkSender } from './chunkSender.ts';
import { settlePending } from './settlePending.ts';

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
   * Adds images chunk by chunk. Of a run that is continued, images that have their row, or wait in a job,
   * are passed over.
   * Resolves to the number of images added.
   *
   * @throws RUN_SEALED, USAGE for a ref that is none
   */
  add(images: AsyncIterable<ImageRef> | Iterable<ImageRef>, options?: AddOptions): Promise<number>;
  /** Says that nothing more comes: the run is complete when all its images have rows. */
  seal(): Promise<void>;
  close(): Promise<void>;
}

/** @param record the run as its ledger has it; one that has chunks already is continued */
export function createOpenRun(record: Run, queue: Queue, runs: Runs, store: ResultsStore): OpenRun {
  const { run } = record;
  const continued = record.chunks > 0;

  return {
    run,
    async add(images, options = {}) {
      const { chunkSize = defaultOf('chunkSize'), signal } = options;
      const { highWater = defaultOf('highWater'), attempts = defaultOf('attempts') } = options;
      if (!Number.isInteger(chunkSize) || chunkSize < 1 || chunkSize > CHUNK_IMAGES_MAX) {
        const message = `Expected chunkSize from 1 to ${CHUNK_IMAGES_MAX}, got ${chunkSize}.`;
        throw new ClipfleetError('USAGE', message);
      }
      const waiting = continued ? await settlePending(run, queue, runs) : undefined;
      const choose = async (chunks: ImageRef[][]) =>
        waiting ? neitherDoneNorWaiting(store, run, chunks, waiting) : chunks;
      const sender = await createChunkSender(run, { queue, runs, choose, highWater, attempts, signal });
      let added = 0;
      try {
        for await (const chunk of inChunks(images, chunkSize)) {
          await sender.send(chunk);
          if (signal?.aborted) break;
        }
      } finally {
        // Also where the source fails: what it gave before is added, and nothing is under way afterwards.
        added = await sender.finish();
      }
      return added;
    },
    seal: () => runs.seal(run),
    close: () => queue.close(),
  };
}

async function neitherDoneNorWaiting(
  store: ResultsStore,
  run: string,
  chunks: ImageRef[][],
  waiting: Map<string, number>,
): Promise<ImageRef[][]> {
  const ids = chunks.flatMap((images) => images.map(({ id }) => id)).filter((id) => !waiting.has(id));
  const done = await store.find(run, ids);
  return chunks.map((images) => images.filter(({ id }) => !waiting.has(id) && !done.has(id)));
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
