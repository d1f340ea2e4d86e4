import type { PublicRow } from '../../shared/rows/row.ts';
import type { RowOutput } from '../outputs/rowOutput.ts';
import { type ExportedRun, type ExportRow, judged, type SourceCells } from '../rows/exportedRun.ts';
import { isWanted, type RowFilter } from '../rows/rowFilter.ts';

export interface WriteRowsOptions extends RowFilter {
  /** Most predictions in a row. */
  topK?: number | 'all' | undefined;
  /** Other columns of the source list, by image id. */
  source?: ReadonlyMap<string, SourceCells> | undefined;
  /** What decides whether answers are accepted. */
  judge?: ExportedRun['judge'];
  /** Told how many rows were read and how many of them written. */
  onRows?: (read: number, written: number) => void;
}

/**
 * Writes the rows that are wanted, group by group, and makes the output whole. Where it fails or is stopped, of formats that are not written row by
 * row nothing is left. Resolves to how many were written, and sentences about what was left out.
 *
 * @throws what the rows or the output throw
 */
export async function writeRows(
  groups: AsyncIterable<readonly PublicRow[]>,
  output: RowOutput & { flush?: () => Promise<boolean> },
  { topK, source, judge, onRows, ...filter }: WriteRowsOptions = {},
): Promise<{ written: number; leftOut: readonly string[] }> {
  let [read, written, goesOn] = [0, 0, true];
  try {
    for await (const rows of groups) {
      for (const found of rows) {
        read++;
        const row = judged(found, { ...(judge && { judge }) });
        if (!isWanted(row, filter)) continue;
        written++;
        goesOn = await output.write(withSource(limited(row, topK), source));
        if (!goesOn) break;
      }
      goesOn &&= (await output.flush?.()) ?? true;
      onRows?.(read, written);
      if (!goesOn) break;
    }
  } catch (error) {
    await output.abandon();
    throw error;
  }
  return { written, leftOut: await output.end() };
}

function limited(row: ExportRow, topK: WriteRowsOptions['topK']): ExportRow {
  if (row.status !== 'classified' || topK === undefined || topK === 'all') return row;
  return { ...row, predictions: row.predictions.slice(0, topK) };
}

function withSource(row: ExportRow, cells: WriteRowsOptions['source']): ExportRow {
  const source = cells?.get(row.id);
  return source === undefined ? row : { ...row, source };
}

/** Rows in groups of at most so many. */
export async function* inGroups(
  rows: AsyncIterable<PublicRow>,
  groupRows = 1_000,
): AsyncGenerator<PublicRow[]> {
  let group: PublicRow[] = [];
  for await (const row of rows) {
    if (group.push(row) < groupRows) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
