import stringWidth from 'string-width';
import type { ExportRow } from '../../results/rows/exportedRun.ts';
import { alignColumns, fit, fitEnd, printable } from './printable.ts';

const ROWS_SHOWN_MAX = 50;
const FAILURES_SHOWN_MAX = 20;
const PREDICTIONS_SHOWN = 3;
const ID_COLUMNS = 48;
const LABEL_COLUMNS = 24;

type DoneRow = Exclude<ExportRow, { status: 'failed' }>;
type FailedRow = Extract<ExportRow, { status: 'failed' }>;

/** A line for each image: its name and its best labels, or why it failed. Keeps the first 50, and 20 that failed. */
export function createTable() {
  const done: DoneRow[] = [];
  const failed: FailedRow[] = [];
  let more = 0;
  let moreFailed = 0;
  return {
    add(row: ExportRow): void {
      if (row.status !== 'failed') {
        if (done.length < ROWS_SHOWN_MAX) done.push(row);
        else more++;
      } else if (failed.length < FAILURES_SHOWN_MAX) failed.push(row);
      else moreFailed++;
    },

    /** @param columns of the terminal, for as many predictions a line as fit; undefined for three */
    format(columns?: number): string {
      const parts: string[] = [];
      if (done.length > 0) parts.push(withRest(formatLines(done, columns), more));
      if (failed.length > 0) parts.push(withRest(formatFailed(failed), moreFailed));
      return parts.join('\n');
    },
  };
}

function withRest(lines: string, more: number): string {
  return more > 0 ? `${lines}\n… ${more} more\n` : `${lines}\n`;
}

function formatFailed(rows: readonly FailedRow[]): string {
  return alignColumns(
    rows.map(({ id, error }) => [fitEnd(id, ID_COLUMNS), error.code, printable(error.message)]),
  );
}

/** Images with their best labels, in columns. */
export function formatLines(rows: readonly DoneRow[], columns = Number.POSITIVE_INFINITY): string {
  const idColumns = Math.min(ID_COLUMNS, Math.floor(columns / 2));
  for (let predictions = PREDICTIONS_SHOWN; ; predictions--) {
    const text = alignColumns(rows.map((row) => cellsOf(row, predictions, idColumns)));
    const fits = text.split('\n').every((line) => stringWidth(line) <= columns);
    if (fits || predictions === 1) return text;
  }
}

function cellsOf(row: DoneRow, count: number, idColumns: number): string[] {
  if (row.status === 'embedded') return [fitEnd(row.id, idColumns), row.status];
  const best = row.predictions.slice(0, count);
  return [
    fitEnd(row.id, idColumns),
    ...(row.decision ? [row.decision] : []),
    ...best.map(({ label, score }) => `${fit(label, LABEL_COLUMNS)} ${score.toFixed(3)}`),
  ];
}
