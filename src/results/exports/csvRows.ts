import { stringify } from 'csv-stringify/sync';
import type { PublicRow } from '../../shared/rows/row.ts';
import type { LineFormat } from './lineFormat.ts';

/** Predictions that have columns of their own. */
const PREDICTIONS = 5;

const predictionColumns = Array.from({ length: PREDICTIONS }, (_, i) => {
  const number = i === 0 ? '' : `_${i + 1}`;
  return [`label${number}`, `score${number}`];
}).flat();

const columns = ['id', 'uri', 'status', ...predictionColumns, 'error', 'message'];

/**
 * Rows as CSV: a line each, the best five predictions in columns of their own. Text that a spreadsheet would run as a formula
 * gets an apostrophe in front, which spreadsheets do not show (OWASP, "CSV Injection").
 */
export const csvFormat: LineFormat = { header: columns.join(','), line: (row) => csvLine(cellsOf(row)) };

function cellsOf(row: PublicRow): string[] {
  const predictions = row.status === 'classified' ? row.predictions.slice(0, PREDICTIONS) : [];
  const scored = predictions.flatMap(({ label, score }) => [label, shortestFloat32(score)]);
  const error = row.status === 'failed' ? [row.error.code, row.error.message] : ['', ''];
  const none = Array<string>(2 * (PREDICTIONS - predictions.length)).fill('');
  return [row.id, row.uri, row.status, ...scored, ...none, ...error];
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

/**
 * The shortest decimal that reads back as the same float32, which scores are: 0.9123 instead of the 17 digits of its double.
 * Nine significant digits always do (IEEE 754, binary32).
 */
export function shortestFloat32(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === Math.fround(value)) return String(Number(text));
  }
  return String(Number(value.toPrecision(9)));
}
