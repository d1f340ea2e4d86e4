import { pipeline, Readable } from 'node:stream';
import { type CsvError, type Info, parse } from 'csv-parse';
import { ClipfleetError } from '../../shared/errors.ts';
import type { TextFormat } from '../../shared/options/sourceOptions.ts';
import { LINE_BYTES_MAX, linesOf, peek } from './lines.ts';
import { type ColumnChoice, cellText, findColumns, requireColumns } from './listColumns.ts';

/** What a row of a list says of an image. A row without a uri names none. */
export interface ListRow {
  /** Its line, or in Parquet its number; from 1. */
  row: number;
  uri: string | undefined;
  id: string | undefined;
}

/**
 * The rows of a list that is text, as they come. `list` is its name, for messages.
 *
 * Throws USAGE when the header, or of JSON lines the first line, has no column that is known; SOURCE_INVALID with the line
 * where the rest cannot be read.
 */
export async function* listRows(
  format: TextFormat,
  bytes: AsyncIterable<Uint8Array>,
  list: string,
  choice: ColumnChoice,
): AsyncGenerator<ListRow> {
  let last = 0;
  try {
    for await (const row of rowsOf(format, bytes, list, choice)) {
      last = row.row;
      yield row;
    }
  } catch (error) {
    if (error instanceof ClipfleetError) throw error;
    const { message } = error as CsvError;
    throw new ClipfleetError(
      'SOURCE_INVALID',
      `${list}: expected ${format} to its end, got ${message} after line ${last}. The rows until there were taken.`,
      { cause: error },
    );
  }
}

function rowsOf(
  format: TextFormat,
  bytes: AsyncIterable<Uint8Array>,
  list: string,
  choice: ColumnChoice,
): AsyncGenerator<ListRow> {
  if (format === 'text') return plainRows(bytes);
  if (format === 'jsonl') return jsonRows(bytes, list, choice);
  return tableRows(bytes, format === 'csv' ? ',' : '\t', list, choice);
}

/** A path or URL a line. Blank lines are passed over; there are no comments, because a file's name may begin with `#`. */
async function* plainRows(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ListRow> {
  let row = 0;
  for await (const lines of linesOf(bytes)) {
    for (const line of lines) {
      row++;
      const uri = line.trim();
      if (row === 1 && uri.includes('\0')) throw new Error('a NUL byte (an archive? UTF-16?)');
      if (uri !== '') yield { row, uri, id: undefined };
    }
  }
}

async function* tableRows(
  bytes: AsyncIterable<Uint8Array>,
  delimiter: string,
  list: string,
  choice: ColumnChoice,
): AsyncGenerator<ListRow> {
  const parser = parse({
    delimiter,
    bom: true,
    info: true,
    // A quote inside a cell is a quote, as in `5" disk`; a row may lack its last cells.
    relax_quotes: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: LINE_BYTES_MAX,
  });
  let header: { url: number; id: number } | undefined;
  const records: AsyncIterable<{ info: Info; record: string[] }> = parser;
  // Errors of either end the other. Nobody waits for the source to close, which may be a pipe that stays open.
  pipeline(Readable.from(bytes, { objectMode: false }), parser, () => {});
  for await (const { info, record } of records) {
    if (header === undefined) {
      const names = record.map((name) => name.trim());
      const columns = requireColumns(names, choice, `${list}, line ${info.lines}`);
      header = { url: names.indexOf(columns.url), id: names.indexOf(columns.id ?? '') };
    } else {
      yield { row: info.lines, uri: cellText(record[header.url]), id: cellText(record[header.id]) };
    }
  }
}

/** An object a line, or a text that is the path or URL. A line that is neither names no image, unless it is the first. */
async function* jsonRows(
  bytes: AsyncIterable<Uint8Array>,
  list: string,
  choice: ColumnChoice,
): AsyncGenerator<ListRow> {
  let row = 0;
  let isFirst = true;
  for await (const lines of linesOf(bytes)) {
    for (const line of lines) {
      row++;
      if (line.trim() === '') continue;
      const value = parsed(line);
      if (isFirst) checkFirst(value, choice, `${list}, line ${row}`);
      isFirst = false;
      yield { row, ...cellsOf(value, choice) };
    }
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** What is wrong with the first line is wrong with the list. */
function checkFirst(value: unknown, choice: ColumnChoice, place: string): void {
  if (typeof value === 'string') return;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ClipfleetError('USAGE', `${place}: expected a JSON object or a text, got something else.`);
  }
  requireColumns(Object.keys(value), choice, place);
}

function cellsOf(value: unknown, choice: ColumnChoice): { uri: string | undefined; id: string | undefined } {
  if (typeof value !== 'object' || value === null) return { uri: cellText(value), id: undefined };
  const cells = value as Record<string, unknown>;
  const columns = findColumns(Object.keys(cells), choice);
  return { uri: columns && cellText(cells[columns.url]), id: cellText(cells[columns?.id ?? '']) };
}

/**
 * What standard input is, by its first line that is not blank: JSON lines when it begins with `{` or `"`; a table when one of
 * its cells, between tabs or commas, is the name of a column of addresses; else a path or URL a line.
 */
export async function detectFormat(
  bytes: AsyncIterable<Uint8Array>,
  { urlColumn }: ColumnChoice,
): Promise<{ format: TextFormat; all: AsyncGenerator<Uint8Array> }> {
  const firstLine = /^\s*(\S.*)\n/;
  const { beginning, all } = await peek(
    bytes,
    (read) => firstLine.test(read.toString()) || read.length > LINE_BYTES_MAX,
  );
  const line = beginning
    .toString()
    .replace(/^\uFEFF/, '')
    .trimStart()
    .split(/\r?\n/, 1)[0]!;
  if (/^["{]/.test(line) && parsed(line) !== undefined) return { format: 'jsonl', all };
  const isHeader = (delimiter: string) =>
    findColumns(
      line.split(delimiter).map((cell) => cell.trim().replace(/^"(.*)"$/, '$1')),
      { urlColumn },
    ) !== undefined;
  if (isHeader('\t') && line.includes('\t')) return { format: 'tsv', all };
  return { format: isHeader(',') ? 'csv' : 'text', all };
}
