import type { ExportRow } from '../rows/exportedRun.ts';

/** How rows become lines of a file. */
export interface LineFormat {
  /** What stands before the first row, without its line break; undefined where nothing does. */
  header: string | undefined;
  /** One row, without its line break. */
  line(row: ExportRow): string;
}
