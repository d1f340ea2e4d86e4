import { jsonIn } from '../jsonIn.ts';
import { type Thresholds, thresholdsSchema } from '../labels/thresholds.ts';
import { redisStoreName } from '../rows/redisResultsStore.ts';
import type { RowCounts } from '../rows/resultsStore.ts';
import { WIRE_VERSION } from './chunkJob.ts';
import { unreadableRun } from './runErrors.ts';

/** An earlier run, whose kept vectors are labeled. */
export interface VectorSource {
  run: string;
  birth?: string | undefined;
  /** Where its vectors are kept: `root://NAME/path` or a `file:` URL. */
  embeddings: string;
}

/** A run's record: what it is, and how far its chunks are. Rows and their counts are in the results store. */
export interface Run {
  run: string;
  /** A random mark that this run has and no other of the id; undefined where whoever opened it gave none. */
  birth: string | undefined;
  /** Identity of the model, `name@revision:dtype`. */
  model: string;
  /** Id of the label set. */
  labelSet: string;
  /** Name of the lane its chunks go to. */
  lane: string;
  /** ISO 8601. */
  createdAt: string;
  /** When it and all that is its own is gone, in epoch milliseconds; undefined where it stays until it is removed. */
  expiresAt?: number | undefined;
  /**
   * `open` while its source adds to it, then `sealed`; `complete` when sealed and nothing is left. `cancelled` is an end
   * too: what had no row by then never gets one.
   */
  state: 'open' | 'sealed' | 'complete' | 'cancelled';
  /** Why workers leave it alone for now; undefined when they do not. */
  paused: string | undefined;
  /** Share of failed images above which it is paused; undefined for none. */
  maxFailureRate: number | undefined;
  /** What its images were named by when it was opened; undefined where nobody said. */
  source: string | undefined;
  /** Name of the results store that has its rows. */
  store: string;
  /** Where that store was reached when the run was opened, for people; undefined for Redis. */
  storeAddress: string | undefined;
  /** Where the vectors of its classified images are kept, `root://NAME/path` or a `file:` URL; undefined for nowhere. */
  embeddings?: string | undefined;
  /** The run whose vectors its images are labeled from; undefined where they are read themselves. */
  relabels?: VectorSource | undefined;
  /** What decides whether its answers are accepted, where nothing else is said; undefined where nobody said. */
  thresholds?: Thresholds | undefined;
  /** Images announced so far. */
  images: number;
  /** Images of chunks whose rows are not all stored yet. */
  pending: number;
  /** Of the pending ones, those that have a failed row and are tried again. */
  retrying: number;
  /** Chunk numbers used so far: the next chunk's number. */
  chunks: number;
}

/** @throws RUN_UNREADABLE */
export function decodeRun(run: string, record: Record<string, string>): Run {
  if (Number(record.v) > WIRE_VERSION) {
    throw unreadableRun(run, `it is of wire version ${record.v}, newer than this program`);
  }
  for (const name of ['labelSet', 'lane', 'createdAt', 'images', 'pending', 'chunks'])
    if (record[name] === undefined) throw unreadableRun(run, `its record has no ${name}`);
  for (const name of ['images', 'pending', 'chunks', 'retrying'])
    if (!Number.isSafeInteger(Number(record[name] ?? 0)))
      throw unreadableRun(run, `its ${name} is no number`);
  const pending = Number(record.pending);
  const relabels = jsonIn(record.relabels) as VectorSource | undefined;
  if (record.relabels !== undefined && typeof relabels?.embeddings !== 'string')
    throw unreadableRun(run, 'its relabels is no JSON of a run');
  const thresholds = thresholdsSchema.safeParse(jsonIn(record.thresholds));
  if (record.thresholds !== undefined && !thresholds.success)
    throw unreadableRun(run, 'its thresholds are no JSON of thresholds');
  return {
    run,
    birth: record.birth,
    model: record.model!,
    labelSet: record.labelSet!,
    lane: record.lane!,
    createdAt: record.createdAt!,
    ...(record.expiresAt !== undefined && { expiresAt: Number(record.expiresAt) }),
    state: stateOf(record, pending),
    paused: record.paused,
    maxFailureRate: record.maxFailureRate === undefined ? undefined : Number(record.maxFailureRate),
    source: record.source,
    store: record.store ?? redisStoreName,
    storeAddress: record.storeAddress,
    embeddings: record.embeddings,
    relabels,
    thresholds: thresholds.data,
    images: Number(record.images),
    pending,
    retrying: Number(record.retrying ?? 0),
    chunks: Number(record.chunks),
  };
}

function stateOf({ cancelledAt, sealedAt }: Record<string, string>, pending: number): Run['state'] {
  if (cancelledAt !== undefined) return 'cancelled';
  if (sealedAt === undefined) return 'open';
  return pending === 0 ? 'complete' : 'sealed';
}

/** Who takes a piece. */
export interface Holder {
  worker: string;
  /** With nothing else in its hand. */
  alone: boolean;
  /** The worker that it is taken from, where another holds it. */
  from?: string;
}

/** What a worker is told of what it took; `held` by another worker. */
export type Begun =
  | { kind: 'work' | 'divided'; hasSuspects: boolean }
  | { kind: 'paused' }
  | { kind: 'cancelled' }
  | { kind: 'unknown' }
  | { kind: 'held'; worker: string };

/** Every image of a run in exactly one place: `expected = waiting + active + classified + failed + skipped`. */
export interface Account {
  /** Images announced, each id once as far as is known. */
  expected: number;
  waiting: number;
  /** In the hands of workers. */
  active: number;
  classified: number;
  failed: number;
  /** Of a cancelled run: those that will have no row. */
  skipped: number;
  /** Images whose id had come before; they are not among the expected. */
  duplicates: number;
  /** Of the failed, those that are being tried again. */
  retrying: number;
}

/**
 * The account of a run, from its record and what was read of its rows and workers.
 *
 * Nothing of it is kept but what it is made of. Rows are exact at any time and are never ahead of the record, if they
 * were read before it. An image whose chunk is finished has a row; where there are fewer rows than such images, two of
 * them had one id. What has no row is waiting or active, or, once the run is cancelled, skipped.
 *
 * @param active images of the chunks that workers hold, some of which may have their row already
 * @param before the record as it was before the rows were read: the rows of chunks finished later may be missing
 */
export function accountOf(
  run: Run,
  { classified, failed }: RowCounts,
  active: number,
  before: Run = run,
): Account {
  const rows = classified + failed;
  const finished = before.images - (before.pending - before.retrying);
  const duplicates = Math.max(0, finished - rows);
  // Only counts that somebody else wrote to can be above the images; an audit puts them right.
  const expected = Math.max(rows, run.images - duplicates);
  const left = expected - rows;
  const cancelled = run.state === 'cancelled';
  const held = cancelled ? 0 : Math.min(active, left);
  return {
    expected,
    waiting: cancelled ? 0 : left - held,
    active: held,
    classified,
    failed,
    skipped: cancelled ? left : 0,
    duplicates,
    retrying: cancelled ? 0 : run.retrying,
  };
}
