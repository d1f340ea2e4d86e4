import type { Redis } from 'ioredis';
import { ClipfleetError } from '../errors.ts';
import type { Keys } from '../redis/keys.ts';
import { chunkOf, WIRE_VERSION } from './chunkJob.ts';
import { decodeRun, type Run } from './run.ts';
import { cancelledRun, mismatchedRun, readingRun, unknownRun } from './runErrors.ts';
import { defineRunScripts } from './runScripts.ts';

export type NewRun = Pick<Run, 'run' | 'model' | 'labelSet' | 'lane'>;

/** A chunk, or a part of one that a worker gave back, with rows still to come. */
export interface Pending {
  /** `CHUNK` or `CHUNK/PART`, as in its job's id. */
  piece: string;
  images: number;
  generation: number;
}

/**
 * The ledger of runs.
 *
 * A chunk is announced before its job is added and finished after its rows are stored, each at most once however often
 * it is said. So `pending` reaches zero exactly when every announced image has its row, and a run is complete when it is
 * sealed and nothing is pending: read from here, never from BullMQ's job states.
 */
export interface Runs {
  /**
   * Opens a new run, or an existing one of the same model and label set for more images.
   *
   * @throws RUN_MISMATCH, RUN_CANCELLED
   */
  open(run: NewRun): Promise<Run>;
  /** @throws RUN_UNREADABLE */
  get(run: string): Promise<Run | undefined>;
  /** The first of `count` chunk numbers in a row that nobody else has: two producers may add to one run. */
  reserveChunks(run: string, count: number): Promise<number>;
  /**
   * Resolves to the run's pending images, this chunk's among them.
   *
   * @throws RUN_SEALED, RUN_CANCELLED, RUN_UNKNOWN
   */
  announce(run: string, chunk: number, images: number, generation?: number): Promise<number>;
  /**
   * Whether a worker should work on what it took, `divided` if parts of it were given away before; its images are then
   * counted as active.
   */
  begin(
    run: string,
    piece: string,
    images: number,
  ): Promise<'work' | 'divided' | 'paused' | 'cancelled' | 'unknown'>;
  /** The worker has let go of it without finishing. */
  release(run: string, piece: string): Promise<void>;
  /**
   * Takes parts of so many images out of a chunk, each pending by itself from then on. Resolves to the number of the first
   * part, or to 0 where the chunk was finished meanwhile.
   */
  split(run: string, chunk: number, images: readonly number[]): Promise<number>;
  /** @param whole the images of its parts have their rows too */
  finish(run: string, piece: string, whole?: boolean): Promise<void>;
  /** Takes back a piece whose job will not be done, but for the `kept` images of it that have rows. Resolves to its images that were pending. */
  withdraw(run: string, piece: string, kept: number): Promise<number>;
  pending(run: string): Promise<Pending[]>;
  /** The numbers of the chunks that parts were ever taken out of. */
  divided(run: string): Promise<Set<number>>;
  /** Images of the chunks that workers hold. */
  active(run: string): Promise<number>;
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

  const finish = (run: string, piece: string, kept: number, whole: boolean) => {
    const ledger = [keys.run(run), keys.chunks(run), keys.active(run), keys.parts(run)] as const;
    return redis.clipfleetFinish(...ledger, piece, kept, whole ? 'whole' : '');
  };

  const runs: Runs = {
    async open({ run, model, labelSet, lane }) {
      const now = new Date().toISOString();
      const answer = await redis.clipfleetOpenRun(keys.run(run), model, labelSet, lane, WIRE_VERSION, now);
      if (answer === 'cancelled') throw cancelledRun(run);
      const opened = await runs.get(run);
      if (answer === 'ok' && opened) return opened;
      throw mismatchedRun(run, answer, opened, { model, labelSet, lane });
    },

    async get(run) {
      const record = await readingRun(run, () => redis.hgetall(keys.run(run)));
      return record.model === undefined ? undefined : decodeRun(run, record);
    },

    async reserveChunks(run, count) {
      return (await redis.hincrby(keys.run(run), 'chunks', count)) - count;
    },

    async announce(run, chunk, images, generation = 0) {
      const ledger = [keys.run(run), keys.chunks(run), keys.announced(run)] as const;
      const pending = await redis.clipfleetAnnounce(...ledger, chunk, images, generation);
      if (pending >= 0) return pending;
      if (pending === -3) throw cancelledRun(run);
      if (pending === -2) {
        throw new ClipfleetError('RUN_SEALED', `Run '${run}' is sealed: open it again before adding images.`);
      }
      throw unknownRun(run);
    },

    async begin(run, piece, images) {
      const ledger = [keys.run(run), keys.active(run), keys.parts(run)] as const;
      const answer = await redis.clipfleetBegin(...ledger, piece, images);
      return answer as Awaited<ReturnType<Runs['begin']>>;
    },

    async release(run, piece) {
      await redis.hdel(keys.active(run), piece);
    },

    split: (run, chunk, images) => redis.clipfleetSplit(keys.chunks(run), keys.parts(run), chunk, ...images),

    async finish(run, piece, whole = false) {
      await finish(run, piece, -1, whole);
    },

    withdraw: (run, piece, kept) => finish(run, piece, kept, false),

    async pending(run) {
      return Object.entries(await redis.hgetall(keys.chunks(run)))
        .map(([piece, value]) => {
          const [images, generation = 0] = value.split(' ').map(Number) as [number, number?];
          return { piece, images, generation };
        })
        .sort((a, b) => chunkOf(a.piece) - chunkOf(b.piece));
    },

    async divided(run) {
      return new Set((await redis.hkeys(keys.parts(run))).map(chunkOf));
    },

    async active(run) {
      return (await redis.hvals(keys.active(run))).reduce((sum, images) => sum + Number(images), 0);
    },

    async seal(run) {
      const sealed = await redis.clipfleetMark(keys.run(run), 'sealedAt', new Date().toISOString());
      if (sealed === 0) throw unknownRun(run);
    },

    async warn(run, warning) {
      const key = keys.warnings(run);
      if ((await redis.hlen(key)) < WARNINGS_MAX) await redis.hincrby(key, warning, 1);
    },

    async warnings(run) {
      return (await readingRun(run, () => redis.hkeys(keys.warnings(run)))).sort();
    },
  };
  return runs;
}
