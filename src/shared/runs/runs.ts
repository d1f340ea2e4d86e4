import type { Redis } from 'ioredis';
import { ClipfleetError } from '../errors.ts';
import type { Keys } from '../redis/keys.ts';
import { chunkOf, WIRE_VERSION } from './chunkJob.ts';
import { originsIn } from './origins.ts';
import { type Begun, decodeRun, type Holder, type Run } from './run.ts';
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
   * counted as active, and it is said who holds them. Where another does, it is left to that one.
   */
  begin(run: string, piece: string, images: number, holder: Holder): Promise<Begun>;
  /** The worker, or whoever holds it, lets go of it without finishing; what another holds by now stays so. */
  release(run: string, piece: string, worker?: string): Promise<void>;
  /**
   * Takes parts of so many images out of a chunk, each pending by itself from then on. Resolves to the number of the first
   * part, or to 0 where the chunk was finished meanwhile.
   */
  split(run: string, chunk: number, images: readonly number[]): Promise<number>;
  /**
   * Makes parts of so many images of all that a piece, a chunk or a part, has without a row; parts that were taken out of it before and
   * are not finished are forgotten, because the new ones have their images. Resolves as `split`.
   */
  divide(run: string, piece: string, images: readonly number[]): Promise<number>;
  /** @param whole the images of its parts have their rows too */
  finish(run: string, piece: string, whole?: boolean): Promise<void>;
  /** Takes back a piece whose job will not be done, but for the `kept` images of it that have rows. Resolves to its images that were pending. */
  withdraw(run: string, piece: string, kept: number): Promise<number>;
  pending(run: string): Promise<Pending[]>;
  /** The numbers of the chunks that parts were ever taken out of. */
  divided(run: string): Promise<Set<number>>;
  /** Tells of a part which pieces it was taken out of: its chunk, and parts in between. */
  origins(run: string): Promise<(part: string) => string[]>;
  /** Images of the chunks that workers hold. */
  active(run: string): Promise<number>;
  /** Which worker holds which piece. */
  holders(run: string): Promise<Map<string, string>>;
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

    async begin(run, piece, images, { worker, alone, from = '' }) {
      const ledger = [keys.run(run), keys.active(run), keys.parts(run), keys.suspects(run)] as const;
      const about = [piece, images, worker, alone ? 'alone' : '', from] as const;
      const [answer, hasSuspects] = await redis.clipfleetBegin(...ledger, ...about);
      const [kind, holder = ''] = answer.split(' ') as [Begun['kind'], string?];
      if (kind === 'held') return { kind, worker: holder };
      return kind === 'work' || kind === 'divided' ? { kind, hasSuspects: hasSuspects === 1 } : { kind };
    },

    async release(run, piece, worker = '') {
      await redis.clipfleetRelease(keys.active(run), piece, worker);
    },

    split: (run, chunk, images) => redis.clipfleetSplit(keys.chunks(run), keys.parts(run), chunk, ...images),
    divide: (run, piece, images) =>
      redis.clipfleetDivide(keys.chunks(run), keys.parts(run), piece, ...images),

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

    origins: async (run) => originsIn(await redis.hgetall(keys.parts(run))),

    async active(run) {
      const held = await redis.hvals(keys.active(run));
      return held.reduce((sum, text) => sum + Number.parseInt(text, 10), 0);
    },

    async holders(run) {
      const held = Object.entries(await redis.hgetall(keys.active(run)));
      return new Map(held.map(([piece, text]) => [piece, text.split(' ')[1] ?? '']));
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
