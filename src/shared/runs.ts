import type { Redis } from 'ioredis';
import { WIRE_VERSION } from './chunkJob.ts';
import { ClipfleetError } from './errors.ts';
import type { Keys } from './keys.ts';
import { defineRunScripts } from './runScripts.ts';

/** A run's record: what it is, and how far its chunks are. Rows and their counts are in the results store. */
export interface Run {
  run: string;
  /** Identity of the model, `name@revision:dtype`. */
  model: string;
  /** Id of the label set. */
  labelSet: string;
  /** Name of the lane its chunks go to. */
  lane: string;
  /** ISO 8601. */
  createdAt: string;
  /** `open` while its source adds to it, then `sealed`; `complete` when sealed and nothing is left. */
  state: 'open' | 'sealed' | 'complete';
  /** Images announced so far. */
  images: number;
  /** Images of chunks whose rows are not all stored yet. */
  pending: number;
  /** Chunk numbers used so far: the next chunk's number. */
  chunks: number;
}

export type NewRun = Pick<Run, 'run' | 'model' | 'labelSet' | 'lane'>;

/**
 * The ledger of runs.
 *
 * A chunk is announced before its job is added and finished after its rows are stored, each at most once however often
 * it is said. So `pending` reaches zero exactly when every announced image has its row, and a run is complete when it is
 * sealed and nothing is pending: read from here, never from BullMQ's job states.
 */
export interface Runs {
  /** Opens a new run, or an existing one of the same model and label set for more images. @throws RUN_MISMATCH */
  open(run: NewRun): Promise<Run>;
  get(run: string): Promise<Run | undefined>;
  /** The first of `count` chunk numbers in a row that nobody else has: two producers may add to one run. */
  reserveChunks(run: string, count: number): Promise<number>;
  /** Resolves to the run's pending images, this chunk's among them. @throws RUN_SEALED, RUN_UNKNOWN */
  announce(run: string, chunk: number, images: number): Promise<number>;
  finish(run: string, chunk: number): Promise<void>;
  /** Takes back a chunk whose job will not be done, but for the `kept` images of it that have rows. */
  withdraw(run: string, chunk: number, kept: number): Promise<void>;
  /** Numbers of the chunks that are announced and not finished. */
  pendingChunks(run: string): Promise<number[]>;
  /** @throws RUN_UNKNOWN */
  seal(run: string): Promise<void>;
  /** Notes once per run and text what the user should know though nothing failed. */
  warn(run: string, warning: string): Promise<void>;
  warnings(run: string): Promise<string[]>;
}

/** Distinct warnings a run keeps: they are for reading, not a log. */
const WARNINGS_MAX = 100;

export function createRuns(redis: Redis, keys: Keys): Runs {
  defineRunScripts(redis);
  const runs: Runs = {
    async open({ run, model, labelSet, lane }) {
      const now = new Date().toISOString();
      const answer = await redis.clipfleetOpenRun(keys.run(run), model, labelSet, lane, WIRE_VERSION, now);
      const opened = await runs.get(run);
      if (answer === 'ok' && opened) return opened;
      throw mismatch(run, answer, opened, { model, labelSet, lane });
    },

    async get(run) {
      const record = await redis.hgetall(keys.run(run));
      return record.model === undefined ? undefined : decodeRun(run, record);
    },

    async reserveChunks(run, count) {
      return (await redis.hincrby(keys.run(run), 'chunks', count)) - count;
    },

    async announce(run, chunk, images) {
      const ledger = [keys.run(run), keys.chunks(run), keys.announced(run)] as const;
      const pending = await redis.clipfleetAnnounce(...ledger, chunk, images);
      if (pending >= 0) return pending;
      if (pending === -2) {
        throw new ClipfleetError('RUN_SEALED', `Run '${run}' is sealed: open it again before adding images.`);
      }
      throw unknownRun(run);
    },

    async finish(run, chunk) {
      await redis.clipfleetFinish(keys.run(run), keys.chunks(run), chunk, -1);
    },

    async withdraw(run, chunk, kept) {
      await redis.clipfleetFinish(keys.run(run), keys.chunks(run), chunk, kept);
    },

    async pendingChunks(run) {
      return (await redis.hkeys(keys.chunks(run))).map(Number).sort((a, b) => a - b);
    },

    async seal(run) {
      const sealed = await redis.clipfleetSeal(keys.run(run), new Date().toISOString());
      if (sealed === 0) throw unknownRun(run);
    },

    async warn(run, warning) {
      const key = keys.warnings(run);
      if ((await redis.hlen(key)) < WARNINGS_MAX) await redis.hincrby(key, warning, 1);
    },

    async warnings(run) {
      return (await redis.hkeys(keys.warnings(run))).sort();
    },
  };
  return runs;
}

function decodeRun(run: string, record: Record<string, string>): Run {
  const pending = Number(record.pending);
  const sealed = record.sealedAt !== undefined;
  return {
    run,
    model: record.model!,
    labelSet: record.labelSet!,
    lane: record.lane!,
    createdAt: record.createdAt!,
    state: sealed ? (pending === 0 ? 'complete' : 'sealed') : 'open',
    images: Number(record.images),
    pending,
    chunks: Number(record.chunks),
  };
}

export function unknownRun(run: string): ClipfleetError {
  return new ClipfleetError('RUN_UNKNOWN', `Expected a run that was opened on this Redis, got '${run}'.`);
}

function mismatch(
  run: string,
  field: string,
  existing: Run | undefined,
  asked: Omit<NewRun, 'run'>,
): ClipfleetError {
  const has = existing?.[field as keyof typeof asked];
  const got = asked[field as keyof typeof asked];
  return new ClipfleetError(
    'RUN_MISMATCH',
    `Run '${run}' was opened with ${field} ${has}, got ${got}: give the same to continue it, or another --run to start anew.`,
  );
}
