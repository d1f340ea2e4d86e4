import type { Prediction } from '../../shared/rows/prediction.ts';
import type { PublicRow, RowPlace } from '../../shared/rows/row.ts';
import type { Decision, Judge, Judged } from '../decisions/judge.ts';

/** A row on its way to a file, with what the source list says of its image besides address and id. */
export type ExportRow = PublicRow & {
  /** What thresholds make of it, where the run has any. */
  decision?: Decision;
  answers?: Judged['answers'];
  source?: SourceCells;
  /** Where the row stands in its run, for what is looked up by that. */
  place?: RowPlace;
  /** Its kept vector, as IEEE 754 half precision, little-endian. */
  vector?: Uint8Array;
};

/** The other columns of a row of a source list. */
export type SourceCells = Record<string, unknown>;

/** What is the same for all rows of an export, and how its user wants them. */
export interface ExportedRun {
  run: string;
  model: string;
  labelSet: string;
  /** ISO 8601. */
  createdAt: string;
  /** Every label that may be an answer, in the order of the label set. */
  labels: readonly string[];
  /** What decides whether answers are accepted; absent where no thresholds are given. */
  judge?: Judge;
  /** Whether an image may have several labels: independent scores, each above a threshold. */
  severalLabels: boolean;
  /** Whether each classified row has the score of each label. */
  hasAllScores: boolean;
  /** Rows come with their vectors of so many numbers. */
  vectors?: { dimensions: number };
  /** Columns of the source list that rows carry along. */
  sourceColumns: readonly string[];
  /** Directories of named roots on this machine, by name. */
  roots: ReadonlyMap<string, string>;
  /** CSV: a column for each label instead of the best few. */
  wide?: boolean;
  /** CSV: begin with a byte order mark, by which Excel knows UTF-8. */
  bom?: boolean;
  /** JSON lines: what is the same for all rows stands once, in the first line. */
  compact?: boolean;
}

/** The row with what the run's thresholds make of it. */
export function judged(row: PublicRow, { judge }: Pick<ExportedRun, 'judge'>): ExportRow {
  const found = judge?.(row);
  return found ? { ...row, ...found } : row;
}

/** The best prediction; undefined of failed images, and where every label is below its threshold. */
export function bestOf(row: PublicRow): Prediction | undefined {
  return row.status === 'classified' ? row.predictions[0] : undefined;
}

/**
 * How unsure the model is of an image: 1 less the score of its best label (least confidence; Lewis and Gale, "A Sequential
 * Algorithm for Training Text Classifiers", 1994). 1 where every label is below its threshold, undefined of failed images.
 */
export function uncertaintyOf(row: PublicRow): number | undefined {
  if (row.status !== 'classified') return undefined;
  const best = bestOf(row);
  return best === undefined ? 1 : 1 - best.score;
}

/** The labels that a row gives its image: the best one, or all there are where an image may have several. */
export function answersOf(row: PublicRow, { severalLabels }: ExportedRun): readonly Prediction[] {
  if (row.status !== 'classified') return [];
  return severalLabels ? row.predictions : row.predictions.slice(0, 1);
}

/** A cell of the source list as text, for formats that have no other. */
export function cellText(cell: unknown): string {
  if (cell === undefined || cell === null) return '';
  return typeof cell === 'string' ? cell : JSON.stringify(cell);
}
