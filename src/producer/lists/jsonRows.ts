import { parse as parseExactly } from 'lossless-json';
import { ClipfleetError } from '../../shared/errors.ts';
import { linesOf } from '../bytes/lines.ts';
import { type ColumnChoice, cellText, findColumns, requireColumns } from './listColumns.ts';
import type { ListRow } from './listRow.ts';

/** An object a line, or a text that is the path or URL. A line that is neither names no image, unless it is the first. */
export async function* jsonRows(
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
      const value = parseLine(line);
      if (isFirst) checkFirst(value, choice, `${list}, line ${row}`);
      isFirst = false;
      yield { row, ...cellsOf(value, line, choice) };
    }
  }
}

/** The line's JSON value, or undefined where it is none. */
export function parseLine(line: string): unknown {
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

function cellsOf(value: unknown, line: string, choice: ColumnChoice): Omit<ListRow, 'row'> {
  if (typeof value !== 'object' || value === null) {
    const fault = value === undefined ? 'expected JSON, got a line that is none' : undefined;
    return { uri: cellText(value), id: undefined, ...(fault !== undefined && { fault }) };
  }
  const cells = value as Record<string, unknown>;
  const columns = findColumns(Object.keys(cells), choice);
  const textOf = (column: string | undefined) => {
    const cell = cells[column ?? ''];
    return typeof cell === 'number' ? numberAsWritten(line, column!) : cellText(cell);
  };
  const ids = { uri: columns && textOf(columns.url), id: textOf(columns?.id) };
  if (!choice.withOthers || columns === undefined) return ids;
  const { [columns.url]: _url, [columns.id ?? columns.url]: _id, ...others } = cells;
  return { ...ids, others };
}

/**
 * The digits of a number as the line has them: JSON.parse would round 1234567890123456781, and make 1000 of 1e3. Read only
 * where a number is an id or a path, because it takes longer.
 */
function numberAsWritten(line: string, member: string): string {
  const cells = parseExactly(line, null, {
    parseNumber: (text) => text,
    onDuplicateKey: ({ newValue }) => newValue,
  });
  return (cells as Record<string, string>)[member]!;
}
