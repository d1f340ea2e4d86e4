import { type CsvError, type Info, parse } from 'csv-parse/sync';
import { ClipfleetError } from '../../shared/errors.ts';
import type { LabelSetInput } from '../../shared/labels/labelSet.ts';

export const CSV_COLUMNS: readonly string[] = ['label', 'prompt', 'threshold', 'negative'];

interface CsvRow {
  line: number;
  label: string;
  prompt: string;
  threshold: string;
  negative: string;
}

interface CsvLabel {
  label: string;
  prompts?: string[];
  threshold?: number;
  negative?: boolean;
}

/**
 * Labels of a CSV text with a header, in the order of their first rows. A label's threshold and its being negative may
 * stand in any of its rows.
 *
 * @throws USAGE with the line
 */
export function labelsFromCsv(text: string): LabelSetInput['labels'] {
  const labels = new Map<string, CsvLabel>();
  for (const row of readRows(text)) {
    if (row.label === '') throw fault(row, 'a label', row.label);
    const known = labels.get(row.label);
    if (known && row.prompt === '') throw fault(row, 'another prompt, or each label once', row.label);
    const label = known ?? { label: row.label };
    labels.set(row.label, label);
    if (row.prompt !== '') {
      label.prompts ??= [];
      label.prompts.push(row.prompt);
    }
    settle(label, 'threshold', numberIn(row), row);
    settle(label, 'negative', yesOrNoIn(row), row);
  }
  if (labels.size === 0) throw usage('Expected rows under the header, got none.');
  return [...labels.values()];
}

/** The cells of a line, or of several, one after the other. @throws USAGE where a quote is not closed */
export function csvCells(text: string): string[] {
  // A quote inside a cell is a quote, as in `5" disk`.
  const options = { trim: true, relax_quotes: true, relax_column_count: true, skip_empty_lines: true };
  return parsing(() => parse(text, options)).flat();
}

function readRows(text: string): CsvRow[] {
  const records = parsing(() =>
    parse<{ info: Info; record: Partial<CsvRow> }>(text, {
      columns: readHeader,
      info: true,
      trim: true,
      skip_empty_lines: true,
      skip_records_with_empty_values: true,
    }),
  );
  return records.map(({ info, record }) => ({
    label: '',
    prompt: '',
    threshold: '',
    negative: '',
    ...record,
    line: info.lines,
  }));
}

function readHeader(cells: string[]): string[] {
  const header = cells.map((cell) => cell.toLowerCase());
  const unknown = header.filter((name, index) => !CSV_COLUMNS.includes(name) || header.indexOf(name) < index);
  if (header.includes('label') && unknown.length === 0) return header;
  const expected = `a header with label and any of ${CSV_COLUMNS.slice(1).join(', ')}, with commas between`;
  throw usage(`Line 1: expected ${expected}, got ${JSON.stringify(cells.join(','))}.`);
}

/** Sets what a row says of its label, unless an earlier row said otherwise. */
function settle<Key extends 'threshold' | 'negative'>(
  label: CsvLabel,
  key: Key,
  value: CsvLabel[Key],
  row: CsvRow,
): void {
  if (value === undefined) return;
  if (label[key] !== undefined && label[key] !== value) {
    throw fault(row, `the ${key} ${label[key]} of an earlier row of ${JSON.stringify(row.label)}`, row[key]);
  }
  label[key] = value;
}

function numberIn(row: CsvRow): number | undefined {
  if (row.threshold === '') return undefined;
  const value = Number(row.threshold);
  if (Number.isFinite(value)) return value;
  throw fault(row, 'a number with a decimal point as threshold', row.threshold);
}

function yesOrNoIn(row: CsvRow): boolean | undefined {
  switch (row.negative.toLowerCase()) {
    case '':
      return undefined;
    case 'true':
    case 'yes':
    case '1':
      return true;
    case 'false':
    case 'no':
    case '0':
      return false;
    default:
      throw fault(row, 'true or false as negative', row.negative);
  }
}

/** The library's errors as ours; its messages name the line. */
function parsing<T>(task: () => T): T {
  try {
    return task();
  } catch (thrown) {
    if (thrown instanceof ClipfleetError) throw thrown;
    const { message } = thrown as CsvError;
    throw usage(`Expected CSV with quotes around what has a comma, got: ${message}.`, thrown);
  }
}

function fault(row: CsvRow, expected: string, got: string): ClipfleetError {
  return usage(`Line ${row.line}: expected ${expected}, got ${JSON.stringify(got)}.`);
}

function usage(message: string, cause?: unknown): ClipfleetError {
  return new ClipfleetError('USAGE', message, { cause });
}
