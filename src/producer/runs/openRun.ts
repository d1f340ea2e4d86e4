import { setTimeout as delay } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { newBirth } from '../../shared/birth.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import { serverProcess, untilOnDisk } from '../../shared/redis/persistence.ts';
import type { ResultsStore } from '../../shared/rows/resultsStore.ts';
import { CHUNK_IMAGES_MAX } from '../../shared/runs/chunkJob.ts';
import type { Run } from '../../shared/runs/run.ts';
import { ifLost, lostRun } from '../../shared/runs/runErrors.ts';
import type { Runs } from '../../shared/runs/runs.ts';
import { untilAborted } from '../../shared/untilAborted.ts';
import {
  type ChunkSender,
  createChunkSender,
  type NewChunk,
  type ProducerBook,
  type SendOptions,
  sendDefaults,
} from './chunkSender.ts';
import { type Images, inChunks } from './inChunks.ts';
import { pendingJobs } from './pendingJobs.ts';
import { settlePending } from './settlePending.ts';

const CLOSE_MAX_MS = 5_000;

/** How images are added to a run. */
export type AddOptions = SendOptions;

export interface ConfirmOptions {
  signal?: AbortSignal;
  /** Whether to wait for the disk before looking; it does when absent. */
  onDisk?: boolean;
}

/** A run that images can be added to. */
export interface OpenRun {
  readonly run: string;
  /**
   * Adds images chunk by chunk. Of a run that is continued, images that have their row, or wait in a job,
   * are passed over.
   * Resolves to the number of images added.
   *
   * @throws RUN_SEALED, RUN_CANCELLED, RUN_LOST, USAGE for a ref that is none, and at once the signal's reason
   */
  add(images: Images, options?: AddOptions): Promise<number>;
  /** Says that nothing more comes: the run is complete when all its images have rows. @throws RUN_LOST */
  seal(): Promise<void>;
  /**
   * After sealing: waits until Redis has what was added on its disk, and looks whether all of it is there. With Redis 7.2 the wait is
   * as long as the disk takes, with an older one a second.
   *
   * Resolves to how many images are not there, or not to be done: 0 when all is well. Otherwise the run is open again, and adding
   * the same images once more adds those.
   *
   * @throws RUN_LOST where the whole run is gone, and the signal's reason
   */
  confirm(options?: ConfirmOptions): Promise<number>;
  /** To be called at the end: what an aborted adding had under way gets 5 s to reach Redis. */
  close(): Promise<void>;
}

export interface OpenRunContext {
  redis: Redis;
  queue: Queue;
  runs: Runs;
  store: ResultsStore;
}

/** @param record the run as its ledger has it; one that has chunks already is continued */
export function createOpenRun(record: Run, { redis, queue, runs, store }: OpenRunContext): OpenRun {
  const { run } = record;
  const book: ProducerBook = { producer: newBirth(), images: 0, nextChunk: 0 };
  let continued = record.chunks > 0;
  let sealedOn = '';
  const senders = new Set<ChunkSender>();

  async function add(images: Images, options: AddOptions): Promise<number> {
    const { chunkSize = sendDefaults.chunkSize, signal } = options;
    if (!Number.isInteger(chunkSize) || chunkSize < 1 || chunkSize > CHUNK_IMAGES_MAX) {
      const message = `Expected chunkSize from 1 to ${CHUNK_IMAGES_MAX}, got ${chunkSize}.`;
      throw new ClipfleetError('USAGE', message);
    }
    const waiting = continued ? await settlePending(run, queue, runs, options.onSettled) : undefined;
    const choose = waiting && ((chunks: NewChunk[]) => neitherDoneNorWaiting(store, run, chunks, waiting));
    const sender = createChunkSender(record, {
      ...options,
      lane: queue,
      runs,
      book,
      ...(choose && { choose }),
    });
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

  async function seal(): Promise<void> {
    // The process first: where another one takes its place, what was sealed may be gone.
    sealedOn = await serverProcess(redis);
    await runs.seal(record);
  }

  /** The images that the record counts as this producer's, where asked for when the disk has it. */
  async function announcedNow(onDisk: boolean, signal?: AbortSignal): Promise<number> {
    for (;;) {
      const before = await runs.announcedBy(record, book.producer);
      if (!before) throw lostRun(run);
      // WAITAOF waits for what this very connection wrote, and that may be a new one.
      await runs.noteAnnounced(record, book.producer, before.images);
      if (onDisk) await untilOnDisk(redis, signal);
      const after = await runs.announcedBy(record, book.producer);
      if (!after) throw lostRun(run);
      if (after.isSealed || sealedOn === (await serverProcess(redis))) return after.images;
      await seal();
    }
  }

  async function confirm({ signal, onDisk = true }: ConfirmOptions): Promise<number> {
    const images = await announcedNow(onDisk, signal);
    // Nothing more comes of a cancelled run, and its jobs may be gone.
    if ((await runs.get(run))?.state === 'cancelled') return 0;
    const withoutJob = (await pendingJobs(run, queue, runs)).filter(({ lost }) => lost);
    const missing = withoutJob.reduce((sum, piece) => sum + piece.images, book.images - images);
    book.images = 0;
    await runs.forgetProducer(run, book.producer);
    if (missing === 0) return 0;
    continued = true;
    await runs.open(record);
    return missing;
  }

  return {
    run,
    add: (images, options = {}) =>
      untilAborted(options.signal, () => add(images, options)).catch(ifLost(run)),
    seal: () => seal().catch(ifLost(run)),
    confirm: (how = {}) => untilAborted(how.signal, () => confirm(how)).catch(ifLost(run)),
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
