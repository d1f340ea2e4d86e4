import type { TextFormat } from '../../shared/options/sourceOptions.ts';
import { LINE_BYTES_MAX, peek } from '../bytes/lines.ts';
import { parseLine } from './jsonRows.ts';
import { type ColumnChoice, findColumns } from './listColumns.ts';
import { headerCells } from './tableRows.ts';

/**
 * What standard input is, by its first line that is not blank: JSON lines when it begins with `{` or `"`; a table when one of
 * its cells, between tabs, semicolons or commas, is the name of a column of addresses; else a path or URL a line.
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
  if (/^["{]/.test(line) && parseLine(line) !== undefined) return { format: 'jsonl', all };
  const isHeader = (delimiter: string) =>
    line.includes(delimiter) && findColumns(headerCells(line, delimiter), { urlColumn }) !== undefined;
  if (isHeader('\t')) return { format: 'tsv', all };
  const isTable =
    isHeader(';') || /^"?sep=.$/i.test(line) || findColumns(headerCells(line, ','), { urlColumn });
  return { format: isTable ? 'csv' : 'text', all };
}
