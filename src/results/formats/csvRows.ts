import { stringify } from 'csv-stringify/sync';
import type { LineFormat } from '../outputs/lineFormat.ts';
import { cellText, type ExportedRun, type ExportRow } from '../rows/exportedRun.ts';
import { shortestFloat32 } from '../rows/shortestFloat32.ts';

/** Predictions that have columns of their own. */
const PREDICTIONS = 5;

/** What every CSV of rows begins with. */
export const csvBeginning = 'id,uri,status,';

const BYTE_ORDER_MARK = '\uFEFF';

const rankedColumns = Array.from({ length: PREDICTIONS }, (_, i) => {
  const number = i === 0 ? '' : `_${i + 1}`;
  return [`label${number}`, `score${number}`];
}).flat();

/**
 * Rows as CSV: a line each, the best five predictions in columns of their own, or each label in one (`wide`). Text that a
 * spreadsheet would run as a formula gets an apostrophe in front, which spreadsheets do not show (OWASP, "CSV Injection").
 *
 * Where thresholds decide, a column says how. A column of the source list that has the name of one of ours is called `source_NAME`.
 */
export function csvFormat({ wide, bom, labels, judge, sourceColumns }: ExportedRun): LineFormat {
  const scored = wide ? [['label', 'score'], labels.map((label) => `score:${label}`)].flat() : rankedColumns;
  const own = ['id', 'uri', 'status', ...scored, 'error', 'message', ...(judge ? ['decision'] : [])];
  const scoredCells = wide ? (row: ExportRow) => wideCells(row, labels) : rankedCells;
  const header = csvLine([...own, ...besideOurs(sourceColumns, own)]);
  return {
    header: bom ? BYTE_ORDER_MARK + header : header,
    line(row) {
      const error = row.status === 'failed' ? [row.error.code, row.error.message] : ['', ''];
      const source = sourceColumns.map((name) => cellText(row.source?.[name]));
      const decision = judge ? [row.decision ?? ''] : [];
      return csvLine([row.id, row.uri, row.status, ...scoredCells(row), ...error, ...decision, ...source]);
    },
  };
}

/** The names of other columns, those that are taken with `source_` in front. */
export function besideOurs(columns: readonly string[], own: readonly string[]): string[] {
  return columns.map((name) => (own.includes(name) ? `source_${name}` : name));
}

function rankedCells(row: ExportRow): string[] {
  const predictions = row.status === 'classified' ? row.predictions.slice(0, PREDICTIONS) : [];
  const scored = predictions.flatMap(({ label, score }) => [label, shortestFloat32(score)]);
  return [...scored, ...Array<string>(rankedColumns.length - scored.length).fill('')];
}

/** The best label with its score, then a score for each label, empty where the row does not have it. */
function wideCells(row: ExportRow, labels: readonly string[]): string[] {
  const predictions = row.status === 'classified' ? row.predictions : [];
  const scores = new Map(predictions.map(({ label, score }) => [label, shortestFloat32(score)]));
  const best = predictions[0]?.label ?? '';
  return [best, scores.get(best) ?? '', ...labels.map((label) => scores.get(label) ?? '')];
}

function csvLine(cells: readonly string[]): string {
  const line = stringify([cells.map(defused)]);
  return line.slice(0, -1);
}

/** A number may begin with a sign; it is no formula. */
function defused(cell: string): string {
  if (/^[-+]?[\d.]+(e[-+]?\d+)?$/i.test(cell)) return cell;
  return /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
}
