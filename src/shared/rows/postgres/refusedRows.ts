import { ClipfleetError } from '../../errors.ts';
import type { Row } from '../row.ts';
import { type DataError, isOfData } from './faults.ts';
import type { KeyedRow, RunAnswer } from './putStatement.ts';

/** Writes rows, all or nothing. Resolves to what each run, by its number, did with them. */
export type PutKeyed = (rows: readonly KeyedRow[]) => Promise<Map<number, RunAnswer>>;

/**
 * The same, with a failed row in the place of one that the database does not take, whatever the try: a constraint or a trigger of
 * somebody's stands against it. The others are written as they are.
 *
 * @throws ROW_REFUSED where it does not take the failed row either
 */
export function withoutRefused(put: PutKeyed): PutKeyed {
  return async function putAll(rows): ReturnType<PutKeyed> {
    try {
      return await put(rows);
    } catch (error) {
      if (!isOfData(error)) throw error;
      if (rows.length === 1) return putRefused(put, rows[0]!, error);
      // Halves, so that one among a thousand is found in twenty statements.
      const half = Math.ceil(rows.length / 2);
      const first = await putAll(rows.slice(0, half));
      return new Map([...first, ...(await putAll(rows.slice(half)))]);
    }
  };
}

async function putRefused(put: PutKeyed, keyed: KeyedRow, error: DataError): ReturnType<PutKeyed> {
  const { id, uri, generation, place, at } = keyed.row;
  const code = 'ROW_REFUSED';
  const message = `PostgreSQL does not take the row: ${error.message} (SQLSTATE ${error.code}).`;
  const row: Row = { id, uri, generation, place, at, status: 'failed', error: { code, message } };
  try {
    return await put([{ run: keyed.run, fingerprint: null, row }]);
  } catch (again) {
    throw isOfData(again) ? new ClipfleetError(code, message, { cause: again }) : again;
  }
}
