import type { VectorIndex } from '../../shared/embeddings/vectorIndex.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import type { RowOutput } from '../outputs/rowOutput.ts';
import type { ExportRow } from '../rows/exportedRun.ts';

/** Rows whose vectors are read at the same time. */
const GROUP_ROWS = 1_000;

/**
 * Gives rows their vectors on their way to an output, which comes to nothing where vectors are missing.
 *
 * @param vectors closed at the end
 */
export function withVectors(output: RowOutput, vectors: VectorIndex): RowOutput {
  let rows: ExportRow[] = [];
  let missing = 0;

  async function withVector({ place, ...row }: ExportRow): Promise<ExportRow> {
    if (row.status === 'failed') return row;
    const vector = place && (await vectors.read({ place, generation: row.generation }));
    if (vector === undefined) missing++;
    return vector === undefined ? row : { ...row, vector };
  }

  async function flush(): Promise<boolean> {
    const group = await Promise.all(rows.map(withVector));
    rows = [];
    // What is missing is counted to the end, and nothing more is written.
    for (const row of group) if (missing === 0 && !(await output.write(row))) return false;
    return true;
  }

  async function abandon(): Promise<void> {
    await output.abandon();
    await vectors.close();
  }

  return {
    async write(row) {
      return rows.push(row) < GROUP_ROWS ? true : flush();
    },
    async end() {
      await flush();
      if (missing > 0) {
        await abandon();
        const message = `Expected a vector for each classified image, but ${missing} are missing: label those images anew.`;
        throw new ClipfleetError('VECTORS_UNUSABLE', message);
      }
      await vectors.close();
      return output.end();
    },
    abandon,
  };
}
