import { setTimeout as delay } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import { CHUNK_IMAGES_MAX, WIRE_VERSION } from '../shared/chunkJob.ts';
import { ClipfleetError } from '../shared/errors.ts';
import { type ImageRef, imageRefSchema } from '../shared/imageRef.ts';
import { chunkJobOptions, jobId } from '../shared/lanes.ts';
import type { ResultsStore } from '../shared/resultsStore.ts';
import type { Run } from '../shared/run.ts';
import type { Runs } from '../shared/runs.ts';

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

const HIGH_WATER_POLL_MS = 100;
/** Far longer than a producer takes from announcing a chunk to adding its job. */
const SECOND_LOOK_MS = 1_000;

/** @param record the run as its ledger has it; one that has chunks already is continued */
export function createOpenRun(record: Run, queue: Queue, runs: Runs, store: ResultsStore): OpenRun {
  const { run, labelSet } = record;
  const continued = record.chunks > 0;

  async function addChunk(images: ImageRef[], attempts: number): Promise<number> {
    const chunk = await runs.reserveChunk(run);
    const data = { v: WIRE_VERSION, run, chunk, generation: 0, labelSet, images };
    const pending = await runs.announce(run, chunk, images.length);
    await queue.add('chunk', data, chunkJobOptions(jobId(run, chunk, 0), attempts));
    return pending;
  }

  return {
    run,
    async add(images, { chunkSize = 32, highWater = 100_000, attempts = 3, signal } = {}) {
      if (!Number.isInteger(chunkSize) || chunkSize < 1 || chunkSize > CHUNK_IMAGES_MAX) {
        const message = `Expected chunkSize from 1 to ${CHUNK_IMAGES_MAX}, got ${chunkSize}.`;
        throw new ClipfleetError('USAGE', message);
      }
      const waiting = continued ? await settlePending(run, queue, runs) : undefined;
      let added = 0;
      for await (const chunk of inChunks(images, chunkSize)) {
        const left = waiting ? await neitherDoneNorWaiting(store, run, chunk, waiting) : chunk;
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

/**
 * What an earlier producer of the run left: the ids of images that wait in jobs, which need not be added again.
 *
 * A chunk that was announced and has no job would keep the run open for ever: its producer was cut off in between, and
 * its images come again from the source. It is withdrawn, after a second look, because a producer that is alive adds the
 * job within that time.
 */
async function settlePending(run: string, queue: Queue, runs: Runs): Promise<Set<string>> {
  const waiting = new Set<string>();
  const look = async (chunks: number[]) => {
    const lost: number[] = [];
    for (const chunk of chunks) {
      const job = await queue.getJob(jobId(run, chunk, 0));
      if (job) for (const { id } of (job.data as { images: ImageRef[] }).images) waiting.add(id);
      else lost.push(chunk);
    }
    return lost;
  };
  const missing = await look(await runs.pendingChunks(run));
  if (missing.length === 0) return waiting;
  await delay(SECOND_LOOK_MS);
  for (const chunk of await look(missing)) await runs.withdraw(run, chunk, 0);
  return waiting;
}

async function neitherDoneNorWaiting(
  store: ResultsStore,
  run: string,
  images: ImageRef[],
  waiting: Set<string>,
): Promise<ImageRef[]> {
  const left = images.filter(({ id }) => !waiting.has(id));
  const ids = left.map(({ id }) => id);
  const done = ids.length > 0 ? await store.has(run, ids, 0) : new Set<string>();
  return left.filter(({ id }) => !done.has(id));
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
