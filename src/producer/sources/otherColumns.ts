import { ClipfleetError } from '../../shared/errors.ts';
import { idOfUri, shortened } from '../images/imageId.ts';
import { inputFormatOf } from './inputFormat.ts';
import { type SourceOptions, sourceRows } from './sourceRefs.ts';

/** Rows of a list whose other columns are held in memory: about a gigabyte of short texts. */
const ROWS_MAX = 3_000_000;

/** What a list says of its images besides address and id. */
export interface OtherColumns {
  /** In the order in which they first came. */
  names: readonly string[];
  /** By image id, as a run of the list names its images; of an id that comes twice, the first row. */
  cells: ReadonlyMap<string, Record<string, unknown>>;
}

/** @throws USAGE for what is no list or has too many rows, SOURCE_INVALID, SOURCE_UNAVAILABLE */
export async function readOtherColumns(list: string, options: SourceOptions): Promise<OtherColumns> {
  const format = inputFormatOf(list);
  if (format === undefined || format === 'tar' || format === 'text') {
    const message = `Expected a list with columns, CSV, TSV, JSON lines or Parquet, got ${list}.`;
    throw new ClipfleetError('USAGE', message);
  }
  const names = new Set<string>();
  const cells = new Map<string, Record<string, unknown>>();
  for await (const { row, uri, id, others } of sourceRows(list, format, { ...options, withOthers: true })) {
    if (row > ROWS_MAX) {
      const message = `Expected a list of at most ${ROWS_MAX} rows to join, because they are held in memory, got more in ${list}: join the export with it elsewhere, by id.`;
      throw new ClipfleetError('USAGE', message);
    }
    if (others === undefined || (id === undefined && uri === undefined)) continue;
    const key = id === undefined ? idOfUri(uri!) : shortened(id);
    if (cells.has(key)) continue;
    for (const name of Object.keys(others)) names.add(name);
    cells.set(key, others);
  }
  return { names: [...names], cells };
}
