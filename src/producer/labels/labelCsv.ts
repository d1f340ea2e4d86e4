import { type CsvError, type Info, parse } from 'csv-parse/sync';
import { ClipfleetError } from '../../shared/errors.ts';
import type { LabelSetInput } from '../../shared/labels/labelSet.ts';

const NUMBERS = ['threshold', 'accept', 'review'] as const;
const COLUMNS: readonly string[] = ['label', 'prompt', 'negative', ...NUMBERS];
/** What spreadsheets call the column of labels. */
const LABEL_COLUMNS: readonly string[] = ['label', 'labels', 'name', 'names', 'class'];

interface CsvRow {
  line: number;
  label: string;
  prompt: string;
  threshold: string;
  accept: string;
  review: string;
  negative: string;
}

interface CsvLabel {
  label: string;
  prompts?: string[];
  threshold?: number;
  accept?: number;
  review?: number;
  negative?: boolean;
}

/**
 * Labels of a CSV text, in the order of their first rows. A label's thresholds and its being negative may stand in any of its
 * rows. One column needs no header. Where another separator than the expected one gives a known header, it is used:
 * spreadsheets of half of Europe write `;`.
 *
 * @throws USAGE with the line
 */
export function labelsFromCsv(text: string, separator: ',' | '\t'): LabelSetInput['labels'] {
  const labels = new Map<string, CsvLabel>();
  for (const row of readRows(text, separator)) {
    if (row.label === '') throw fault(row, 'a label', row.label);
    const known = labels.get(row.label);
    if (known && row.prompt === '') throw fault(row, 'another prompt, or each label once', row.label);
    const label = known ?? { label: row.label };
    labels.set(row.label, label);
    if (row.prompt !== '') {
      label.prompts ??= [];
      label.prompts.push(row.prompt);
    }
    for (const name of NUMBERS) settle(label, name, numberIn(row, name), row);
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

function readRows(text: string, expected: ',' | '\t'): CsvRow[] {
  const said = /^\uFEFF?"?sep=(.)"?\r?\n/i.exec(text);
  const table = said ? text.slice(said[0].length) : text;
  const [firstLine] = table.replace(/^\uFEFF/, '').split(/\r?\n/, 1) as [string];
  const separator = said?.[1] ?? separatorOf(firstLine) ?? expected;
  const isBare = !firstLine.includes(separator) && !isLabelHeader(firstLine);
  const records = parsing(() =>
    parse<{ info: Info; record: Partial<CsvRow> }>(table, {
      bom: true,
      columns: isBare ? ['label'] : readHeader,
      delimiter: separator,
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
    accept: '',
    review: '',
    negative: '',
    ...record,
    line: info.lines + (said ? 1 : 0),
  }));
}

/** The separator that makes a known header of the line. */
function separatorOf(line: string): string | undefined {
  return [',', ';', '\t'].find((separator) => line.includes(separator) && headerIn(line.split(separator)));
}

/** Whether the line is a header of a label file, of one column or several. */
export function isLabelHeader(line: string): boolean {
  return separatorOf(line) !== undefined || headerIn([line]) !== undefined;
}

/** The columns as they are called here, or undefined where one is unknown, comes twice, or none has labels. */
function headerIn(cells: readonly string[]): string[] | undefined {
  const names = cells.map((cell) =>
    cell
      .trim()
      .replace(/^"(.*)"$/, '$1')
      .toLowerCase(),
  );
  const header = names.map((name) => (LABEL_COLUMNS.includes(name) ? 'label' : name));
  const isKnown = header.every((name, index) => COLUMNS.includes(name) && header.indexOf(name) === index);
  return isKnown && header.includes('label') ? header : undefined;
}

function readHeader(cells: string[]): string[] {
  const header = headerIn(cells);
  if (header) return header;
  const expected = `a header with label and any of ${COLUMNS.slice(1).join(', ')}`;
  throw usage(`Line 1: expected ${expected}, got ${JSON.stringify(cells.join(','))}.`);
}

/** Sets what a row says of its label, unless an earlier row said otherwise. */
function settle<Key extends (typeof NUMBERS)[number] | 'negative'>(
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

function numberIn(row: CsvRow, name: (typeof NUMBERS)[number]): number | undefined {
  if (row[name] === '') return undefined;
  const value = Number(row[name]);
  if (Number.isFinite(value)) return value;
  throw fault(row, `a number with a decimal point as ${name}`, row[name]);
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
