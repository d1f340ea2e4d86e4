import type { RunName } from '../shared/birth.ts';
import type { ResultsStore } from '../shared/rows/resultsStore.ts';
import type { Row } from '../shared/rows/row.ts';
import type { StageTimes } from './pipeline/stageTimes.ts';

/**
 * The store, with the time that it takes to put rows.
 *
 * @param onRows told of rows that it has taken
 */
export function timedStore(
  store: ResultsStore,
  times: StageTimes,
  onRows?: (rows: readonly Row[]) => void,
): Pick<ResultsStore, 'find' | 'putRows'> {
  return {
    find: (run, ids) => store.find(run, ids),
    putRows: times.timed(
      'store',
      async (run: RunName, rows: readonly Row[]) => {
        await store.putRows(run, rows);
        onRows?.(rows);
      },
      (_, rows) => rows.length,
    ),
  };
}
