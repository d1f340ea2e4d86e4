import type { ExportRow } from '../rows/exportedRun.ts';

/** Takes rows one after the other to where they end. */
export interface RowOutput {
  /** Resolves to false where the reader has gone and nothing more is wanted. @throws OUTPUT_FAILED, USAGE for a row that the format cannot hold */
  write(row: ExportRow): Promise<boolean>;
  /** Makes the output whole. Resolves to sentences about what was left out. @throws OUTPUT_FAILED */
  end(): Promise<readonly string[]>;
  /** Ends before the end: whole lines stay, of other formats nothing. */
  abandon(): Promise<void>;
}
