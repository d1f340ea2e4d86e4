import { setTimeout as delay } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import { ClipfleetError } from '../../shared/errors.ts';
import { type ImageRef, imageRefSchema } from '../../shared/refs/imageRef.ts';
import type { ResultsStore } from '../../shared/rows/resultsStore.ts';
import { CHUNK_IMAGES_MAX } from '../../shared/runs/chunkJob.ts';
import type { Run } from '../../shared/runs/run.ts';
import type { Runs } from '../../shared/runs/runs.ts';
import { untilAborted } from '../../shared/untilAborted.ts';
import {
  type ChunkSender,
  createChunkSender,
  type NewChunk,
  type SendOptions,
  sendDefaults,
} from './chunkSender.ts';
import { settlePending } from './settlePending.ts';

type Images = AsyncIterable<ImageRef> | Iterable<ImageRef>;

const CLOSE_MAX_MS = 5_000;

/** How images are added to a run. */
export type AddOptions = SendOptions;

/** A run that images can be added to. */
export interface OpenRun {
  readonly run: string;
  /**
   * Adds images chunk by chunk. Of a run that is continued, images that have their row, or wait in a job,
   * are passed over.
   * Resolves to the number of images added.
   *
   * @throws RUN_SEALED, RUN_CANCELLED, USAGE for a ref that is none, and at once the signal's reason
   */
  add(images: Images, options?: AddOptions): Promise<number>;
  /** Says that nothing more comes: the run is complete when all its images have rows. */
  seal(): Promise<void>;
  /** To be called at the end: what an aborted adding had under way gets 5 s to reach Redis. */
  close(): Promise<void>;
}

/** @param record the run as its ledger has it; one that has chunks already is continued */
export function createOpenRun(record: Run, queue: Queue, runs: Runs, store: ResultsStore): OpenRun {
  const { run } = record;
  const continued = record.chunks > 0;
  const senders = new Set<ChunkSender>();

  async function add(images: Images, options: AddOptions): Promise<number> {
    const { chunkSize = sendDefaults.chunkSize, signal } = options;
    if (!Number.isInteger(chunkSize) || chunkSize < 1 || chunkSize > CHUNK_IMAGES_MAX) {
      const message = `Expected chunkSize from 1 to ${CHUNK_IMAGES_MAX}, got ${chunkSize}.`;
      throw new ClipfleetError('USAGE', message);
    }
    const waiting = continued ? await settlePending(run, queue, runs) : undefined;
    const choose = waiting && ((chunks: NewChunk[]) => neitherDoneNorWaiting(store, run, chunks, waiting));
    const sender = createChunkSender(run, { ...options, lane: queue, runs, ...(choose && { choose }) });
    senders.add(sender);
    let added = 0;
    try {
      for await (const chunk of inChunks(images, chunkSize)) {
        signal?.throwIfAborted();
        await sender.send({ images: chunk, generation: 0 });
      }
    } finally {
      // Also where the source fails: what it gave before is added, and nothing is under way afterwards.
      added = await sender.finish();
      senders.delete(sender);
    }
    return added;
  }

  return {
    run,
    add: (images, options = {}) => untilAborted(options.signal, () => add(images, options)),
    seal: () => runs.seal(run),
    async close() {
      // Chunks of an adding that was aborted: announced, and about to get their jobs.
      const settled = Promise.all([...senders].map((sender) => sender.settled()));
      await Promise.race([settled, delay(CLOSE_MAX_MS, undefined, { ref: false })]);
      await queue.close();
    },
  };
}

async function neitherDoneNorWaiting(
  store: ResultsStore,
  run: string,
  chunks: NewChunk[],
  waiting: Map<string, number>,
): Promise<NewChunk[]> {
  const ids = chunks.flatMap(({ images }) => images.map(({ id }) => id)).filter((id) => !waiting.has(id));
  const done = await store.find(run, ids);
  return chunks.map(({ images, generation }) => ({
    images: images.filter(({ id }) => !waiting.has(id) && !done.has(id)),
    generation,
  }));
}

/** The images in chunks. Where the source fails, what it gave before comes first. */
async function* inChunks(images: Images, size: number) {
  let chunk: ImageRef[] = [];
  let failure: { error: unknown } | undefined;
  try {
    for await (const image of images) {
      chunk.push(checked(image));
      if (chunk.length < size) continue;
      yield chunk;
      chunk = [];
    }
  } catch (error) {
    failure = { error };
  }
  if (chunk.length > 0) yield chunk;
  if (failure) throw failure.error;
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
