import type { CsvError } from 'csv-parse';
import { ClipfleetError } from '../../shared/errors.ts';
import type { TextFormat } from '../../shared/options/sourceOptions.ts';
import { asUtf8, linesOf } from '../bytes/lines.ts';
import { jsonRows } from './jsonRows.ts';
import type { ColumnChoice } from './listColumns.ts';
import type { ListRow } from './listRow.ts';
import { tableRows } from './tableRows.ts';

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
  const text = asUtf8(bytes);
  if (format === 'text') return plainRows(text);
  if (format === 'jsonl') return jsonRows(text, list, choice);
  return tableRows(text, format, list, choice);
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
