import type { LabelSet } from '../../shared/labels/labelSet.ts';
import type { ResultsStore } from '../../shared/rows/resultsStore.ts';
import { type PublicRow, publicRow, type Row } from '../../shared/rows/row.ts';
import type { Run } from '../../shared/runs/run.ts';
import { readingRun } from '../../shared/runs/runErrors.ts';

/** Up to so many rows are held in memory to give them in the order of the input; more come as the store has them. */
const SORTED_ROWS_MAX = 100_000;

/** The rows of a run, each once; `onUnreadable` is told of ids that have something else. The label set is asked for once, by the first classified row. */
export async function* readRows(
  store: ResultsStore,
  run: Run,
  readLabelSet: () => Promise<LabelSet>,
  onUnreadable?: (id: string) => void,
): AsyncGenerator<PublicRow> {
  let labelSet: LabelSet | undefined;
  const named = async (row: Row): Promise<PublicRow> => {
    // A run whose label set is unknown has failed rows only.
    if (row.status === 'classified') labelSet ??= await readLabelSet();
    return publicRow(row, run, labelSet?.labels ?? []);
  };
  const pages = eachRowOnce(store, run, onUnreadable);
  if (run.images > SORTED_ROWS_MAX) {
    for await (const row of pages) yield await named(row);
    return;
  }
  const rows: Row[] = [];
  for await (const row of pages) rows.push(row);
  rows.sort((a, b) => a.place.chunk - b.place.chunk || a.place.index - b.place.index);
  for (const row of rows) yield await named(row);
}

/** While a run is written to, a page may repeat rows of an earlier one; of a complete run no id need be remembered. */
async function* eachRowOnce(
  store: ResultsStore,
  { run, state }: Run,
  onUnreadable?: (id: string) => void,
): AsyncGenerator<Row> {
  const seen = state === 'complete' ? undefined : new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await readingRun(run, () => store.getRows(run, cursor));
    for (const id of page.unreadable ?? []) onUnreadable?.(id);
    for (const row of page.rows) {
      if (seen?.has(row.id)) continue;
      seen?.add(row.id);
      yield row;
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
}
