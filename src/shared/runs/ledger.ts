import type { RunName } from '../birth.ts';
import type { Begun, Holder, Run } from './run.ts';
import type { Vouching } from './vouching.ts';

/** Its rows will be beside the queue where no store is named. */
export type NewRun = Pick<Run, 'run' | 'model' | 'labelSet' | 'lane'> &
  Partial<Pick<Run, 'store' | 'storeAddress'>> & {
    /** A new run goes after so many milliseconds, with all that is its own; it stays when absent. */
    expireAfterMs?: number | undefined;
  };

/** A chunk, or a part of one that a worker gave back, with rows still to come. */
export interface Pending {
  /** `CHUNK` or `CHUNK/PART`, as in its job's id. */
  piece: string;
  images: number;
  generation: number;
}

export interface AnnouncedBy {
  /** Images that the record counts as announced under the producer's name. */
  images: number;
  isSealed: boolean;
}

/**
 * The ledger of runs.
 *
 * A chunk is announced before its job is added and finished after its rows are stored, each at most once however often
 * it is said. So `pending` reaches zero exactly when every announced image has its row, and a run is complete when it is
 * sealed and nothing is pending: read from here, never from BullMQ's job states.
 */
export interface Runs extends Vouching {
  /**
   * Opens a new run, or an existing one of the same model and label set for more images.
   *
   * @throws RUN_MISMATCH, STORE_MISMATCH, RUN_CANCELLED
   */
  open(run: NewRun): Promise<Run>;
  /** Opens a run whose id nobody has; undefined where somebody has it. */
  openNew(run: NewRun): Promise<Run | undefined>;
  /** @throws RUN_UNREADABLE */
  get(run: string): Promise<Run | undefined>;
  /**
   * The first of `count` chunk numbers in a row that nobody else has, at least `least`: two producers may add to one run.
   *
   * @throws RUN_UNKNOWN
   */
  reserveChunks(run: RunName, count: number, least?: number): Promise<number>;
  /**
   * Resolves to the run's pending images, this chunk's among them.
   *
   * @throws RUN_SEALED, RUN_CANCELLED, RUN_UNKNOWN
   */
  announce(
    run: RunName,
    chunk: number,
    images: number,
    generation?: number,
    producer?: string,
  ): Promise<number>;
  /** What the record says of a producer; undefined where the run is gone. */
  announcedBy(run: RunName, producer: string): Promise<AnnouncedBy | undefined>;
  /** Notes anew what it says of a producer. @throws RUN_UNKNOWN */
  noteAnnounced(run: RunName, producer: string, images: number): Promise<void>;
  /** The producer has found all of its images in the record, and goes. */
  forgetProducer(run: string, producer: string): Promise<void>;
  /**
   * Whether a worker should work on what it took, `divided` if parts of it were given away before; its images are then
   * counted as active, and it is said who holds them. Where another does, it is left to that one.
   */
  begin(run: RunName, piece: string, images: number, holder: Holder): Promise<Begun>;
  /** The worker, or whoever holds it, lets go of it without finishing; what another holds by now stays so. */
  release(run: RunName, piece: string, worker?: string): Promise<void>;
  /**
   * Takes parts of so many images out of a chunk, each pending by itself from then on. Resolves to the number of the first
   * part, or to 0 where the chunk was finished meanwhile.
   */
  split(run: RunName, chunk: number, images: readonly number[]): Promise<number>;
  /**
   * Makes parts of so many images of all that a piece, a chunk or a part, has without a row; parts that were taken out of it before and
   * are not finished are forgotten, because the new ones have their images. Resolves as `split`.
   */
  divide(run: RunName, piece: string, images: readonly number[]): Promise<number>;
  /** @param whole the images of its parts have their rows too */
  finish(run: RunName, piece: string, whole?: boolean): Promise<void>;
  /** Takes back a piece whose job will not be done, but for the `kept` images of it that have rows. Resolves to its images that were pending. */
  withdraw(run: RunName, piece: string, kept: number): Promise<number>;
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
  seal(run: RunName): Promise<void>;
  /** Notes once per run and text what the user should know though nothing failed. */
  warn(run: string, warning: string): Promise<void>;
  warnings(run: string): Promise<string[]>;
}
