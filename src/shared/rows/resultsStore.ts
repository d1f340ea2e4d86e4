import type { RunName } from '../birth.ts';
import type { Row, RowPlace } from './row.ts';

export interface RowCounts {
  classified: number;
  failed: number;
  /** The failed ones by the code of their error; codes without any are left out. */
  failures: Record<string, number>;
}

/** What is there of a row, without what it says. */
export interface FoundRow {
  generation: number;
  place: RowPlace;
}

export interface RowPage {
  rows: Row[];
  /** Ids under which there is something that is no row; none when absent. */
  unreadable?: string[];
  /** Give it back for the next page; undefined after the last one. */
  cursor: string | undefined;
}

/** Counts of rows, and what else there was. */
export interface Recount {
  stored: RowCounts;
  counted: RowCounts;
  /** Ids under which there is something that is no row; none when absent. */
  unreadable?: string[];
}

/**
 * Where rows are kept: exactly one per (run, image id). Every implementation passes the contract suite in
 * test/support/resultsStoreContract.ts.
 *
 * Writing is conditional: a higher retry generation wins, then classified over failed, then the first. So a second
 * delivery of a job, or a worker that writes late, changes nothing that it should not.
 *
 * Scores come back as float32, times as whole seconds.
 */
export interface ResultsStore {
  /** The same for all who reach the same rows, however they reach them: a run's record names its store by it. */
  readonly name: string;
  /** Where it was reached, without credentials: for people. */
  readonly address: string;
  /**
   * From now on only rows of the run's birth are taken, and what an earlier run of the id has left is gone. Those of a run that
   * expires (epoch milliseconds) go with it.
   */
  bear(run: { run: string; birth: string; expiresAt?: number | undefined }): Promise<void>;
  /**
   * Writes the rows that win; resolves when they are written. Counts move in the same step as the rows. Of rows of a birth that
   * is not the run's none is written.
   */
  putRows(run: RunName, rows: readonly Row[]): Promise<void>;
  /** A page of rows in no particular order. While a run is written to, a page may repeat a row of an earlier one. */
  getRows(run: string, cursor?: string): Promise<RowPage>;
  /** The row of one image. */
  getRow(run: string, id: string): Promise<Row | undefined>;
  counts(run: string): Promise<RowCounts>;
  /** Of which of the ids there are rows. */
  find(run: string, ids: readonly string[]): Promise<Map<string, FoundRow>>;
  /** From now on the run takes no row. */
  refuse(run: string): Promise<void>;
  /**
   * Counts the rows themselves; `stored` is what was counted so far. What is no row is not counted.
   *
   * @param mend makes the stored counts what there is, and removes what is no row: only while nobody writes rows of the run
   */
  recount(run: string, mend: boolean): Promise<Recount>;
  /** Removes the run's rows. */
  remove(run: string): Promise<void>;
  /** Ends what waits for it, and gives back what it holds. */
  close(): Promise<void>;
}
