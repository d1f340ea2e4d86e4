import { pipeline, Readable } from 'node:stream';
import { type Info, parse } from 'csv-parse';
import { LINE_BYTES_MAX, peek } from '../bytes/lines.ts';
import { type ColumnChoice, cellText, findColumns, requireColumns } from './listColumns.ts';
import type { ListRow } from './listRow.ts';

interface Header {
  cells: number;
  url: number;
  id: number;
  /** The names of the other columns at their places; empty where they are not wanted. */
  others: [string, number][];
}

/**
 * The rows below a header. A row that has more or fewer cells than the header fails alone: read by position, an unquoted
 * comma in a URL would fetch another picture.
 */
export async function* tableRows(
  bytes: AsyncIterable<Uint8Array>,
  format: 'csv' | 'tsv',
  list: string,
  choice: ColumnChoice,
): AsyncGenerator<ListRow> {
  const { delimiter, linesBefore, all } = await openTable(bytes, format, choice);
  const parser = parse({
    delimiter,
    bom: true,
    info: true,
    from_line: linesBefore + 1,
    // A quote inside a cell is a quote, as in `5" disk`.
    relax_quotes: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: LINE_BYTES_MAX,
  });
  let header: Header | undefined;
  const records: AsyncIterable<{ info: Info; record: string[] }> = parser;
  // Errors of either end the other. Nobody waits for the source to close, which may be a pipe that stays open.
  pipeline(Readable.from(all, { objectMode: false }), parser, () => {});
  for await (const { info, record } of records) {
    const row = info.lines;
    if (header === undefined) header = headerOf(record, choice, `${list}, line ${row}`);
    else yield { row, ...cellsOf(record, header) };
  }
}

function headerOf(record: string[], choice: ColumnChoice, place: string): Header {
  const names = record.map((name) => name.trim());
  const columns = requireColumns(names, choice, place);
  const [url, id] = [names.indexOf(columns.url), names.indexOf(columns.id ?? '')];
  const named = names.map((name, place): [string, number] => [name, place]);
  const others = choice.withOthers ? named.filter(([, place]) => place !== url && place !== id) : [];
  return { cells: names.length, url, id, others };
}

function cellsOf(record: string[], { cells, url, id, others }: Header): Omit<ListRow, 'row'> {
  if (record.length === cells) {
    const beside = Object.fromEntries(others.map(([name, place]) => [name, record[place]]));
    return {
      uri: cellText(record[url]),
      id: cellText(record[id]),
      ...(others.length > 0 && { others: beside }),
    };
  }
  const got = `expected ${cells} ${cells === 1 ? 'cell' : 'cells'} as in the header, got ${record.length}`;
  // The id is safe where no cell can have moved in front of it.
  const isAhead = id >= 0 && id < url && record.length > cells;
  const remedy = record.length > cells ? '; put a cell that holds the separator in double quotes' : '';
  return { uri: undefined, id: isAhead ? cellText(record[id]) : undefined, fault: `${got}${remedy}` };
}

interface Table {
  delimiter: string;
  /** Lines before the header. */
  linesBefore: number;
  all: AsyncGenerator<Uint8Array>;
}

/**
 * How a table is separated: as its first line says (`sep=;`, which Excel writes and reads), else by the first separator that gives
 * its header a known column. Spreadsheets of half of Europe write `;` into their `.csv`.
 */
async function openTable(
  bytes: AsyncIterable<Uint8Array>,
  format: 'csv' | 'tsv',
  choice: ColumnChoice,
): Promise<Table> {
  const own = format === 'csv' ? ',' : '\t';
  const { beginning, all } = await peek(bytes, (read) => read.includes('\n') || read.length > LINE_BYTES_MAX);
  const line = firstLineOf(beginning);
  const said = /^"?sep=(.)"?$/i.exec(line)?.[1];
  if (said !== undefined) return { delimiter: said, linesBefore: 1, all };
  const others = format === 'csv' ? [';', '\t'] : [];
  const delimiter = [own, ...others].find(
    (each) => findColumns(headerCells(line, each), choice) !== undefined,
  );
  return { delimiter: delimiter ?? own, linesBefore: 0, all };
}

/** The first line of a text, without its byte order mark. */
function firstLineOf(beginning: Buffer): string {
  return beginning
    .toString()
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/, 1)[0]!;
}

/** The cells of a header, which has names and no line breaks. */
export function headerCells(line: string, delimiter: string): string[] {
  return line.split(delimiter).map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
}
