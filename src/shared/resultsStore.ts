import type { Row } from './row.ts';

export interface RowCounts {
  classified: number;
  failed: number;
}

export interface RowPage {
  rows: Row[];
  /** Give it back for the next page; undefined after the last one. */
  cursor: string | undefined;
}

/** What became of the rows that were put. */
export interface Put {
  /** Rows written for images that had none. */
  fresh: number;
  /** Rows written over one of a lower rank. */
  replaced: number;
  /** Ids of the rows that were not written, because one of the same rank or a higher one is there. */
  kept: string[];
}

/**
 * Where rows are kept: exactly one per (run, image id). Every implementation passes the contract suite in
 * test/resultsStoreContract.ts.
 *
 * Writing is conditional: a higher retry generation wins, then classified over failed, then the first. So a second
 * delivery of a job, or a worker that writes late, changes nothing that it should not.
 *
 * Scores come back as float32, times as whole seconds.
 */
export interface ResultsStore {
  /** Writes the rows that win; resolves when they are written. Counts move in the same step as the rows. */
  putRows(run: string, rows: readonly Row[]): Promise<Put>;
  /** A page of rows in no particular order. While a run is written to, a page may repeat a row of an earlier one. */
  getRows(run: string, cursor?: string): Promise<RowPage>;
  counts(run: string): Promise<RowCounts>;
  /** Which of the ids have a row of this generation or a later one. */
  has(run: string, ids: readonly string[], generation: number): Promise<Set<string>>;
}
