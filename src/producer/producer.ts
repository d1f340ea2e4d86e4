import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { CHUNK_IMAGES_MAX, WIRE_VERSION } from '../shared/chunkJob.ts';
import { ClipfleetError } from '../shared/errors.ts';
import type { ImageRef } from '../shared/imageRef.ts';
import { keysUnder } from '../shared/keys.ts';
import { canonicalLabelSet, type LabelSet, labelSetId } from '../shared/labelSet.ts';
import { chunkJobOptions, jobId, type LaneKind, laneEventsMax, laneName } from '../shared/lanes.ts';
import { createRedisResultsStore } from '../shared/redisResultsStore.ts';
import type { ResultsStore } from '../shared/resultsStore.ts';
import { createRuns, type Run, type Runs } from '../shared/runs.ts';

export interface ProducerOptions {
  redis: Redis;
  /** First part of every key; the workers' `--prefix`. */
  prefix?: string;
  /** Where the workers keep rows; Redis when absent. */
  store?: ResultsStore;
}

export interface OpenRunOptions {
  /** `name@revision:dtype`, as a worker prints it when it starts. */
  model: string;
  labelSet: LabelSet;
  /** A new id when absent; that of an earlier run continues it. */
  run?: string;
  /** `interactive` overtakes `bulk`. */
  lane?: LaneKind;
  /** Name of a queue of one's own, instead of a lane of the model. */
  privateLane?: string;
}

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
   * @throws RUN_SEALED
   */
  add(images: AsyncIterable<ImageRef> | Iterable<ImageRef>, options?: AddOptions): Promise<number>;
  /** Says that nothing more comes: the run is complete when all its images have rows. */
  seal(): Promise<void>;
  close(): Promise<void>;
}

const HIGH_WATER_POLL_MS = 100;

/** Opens runs on a Redis that workers listen to. */
export function createProducer({ redis, prefix = 'clipfleet', store: given }: ProducerOptions) {
  const keys = keysUnder(prefix);
  const runs = createRuns(redis, keys);
  const store = given ?? createRedisResultsStore(redis, keys);
  return {
    runs,
    store,
    /** Stores the label set under its id, once; the same set again changes nothing. */
    async putLabelSet(labelSet: LabelSet): Promise<string> {
      const id = labelSetId(labelSet);
      await redis.set(keys.labelSet(id), canonicalLabelSet(labelSet), 'NX');
      return id;
    },

    /** @throws RUN_MISMATCH when the run exists with another model or label set */
    async openRun(options: OpenRunOptions): Promise<OpenRun> {
      const { model, run = newRunId(), lane = 'bulk' } = options;
      const labelSet = await this.putLabelSet(options.labelSet);
      const name = options.privateLane ?? laneName(lane, model);
      const record = await runs.open({ run, model, labelSet, lane: name });
      const connection = { connection: redis, prefix, streams: { events: { maxLen: laneEventsMax } } };
      return openRun(record, new Queue(name, connection), runs, store);
    },
  };
}

function openRun(record: Run, queue: Queue, runs: Runs, store: ResultsStore): OpenRun {
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
    chunk.push(image);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

/** Sorts by time and cannot be guessed: `20261123-145500-k3x9q2`. */
export function newRunId(): string {
  const time = new Date().toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const letters = [...randomBytes(6)].map((byte) => (byte % 36).toString(36)).join('');
  return `${time}-${letters}`;
}
