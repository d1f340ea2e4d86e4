import type { Redis } from 'ioredis';
import type { LabelSet } from '../../shared/labels/labelSet.ts';
import { readLabelSet } from '../../shared/labels/storedLabelSet.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import { noLabelSet, type PublicRow, publicRow } from '../../shared/rows/row.ts';
import type { Run } from '../../shared/runs/run.ts';
import { itemsUntilAborted } from '../../shared/untilAborted.ts';
import { followRows, type PlacedRow, readRows } from './readRows.ts';
import { type RunState, readLedger, readProgress } from './runProgress.ts';

export interface RowsOptions {
  /** Ends the reading. */
  signal?: AbortSignal;
  /** Told of ids under which there is something that is no row; they are passed over. */
  onUnreadable?: (id: string) => void;
  /** Rows say where they stand in their run, for what is kept by that. */
  places?: boolean;
}

interface RowReaderContext extends RunState {
  redis: Redis;
  keys: Keys;
}

/** Reads the rows of runs, their labels by name. */
export function createRowReader({ redis, keys, runs, store }: RowReaderContext) {
  const recordOf = (run: string): Promise<Run> => readLedger({ runs, store }, run);

  async function* rowsOf(run: string, { onUnreadable, places }: RowsOptions): AsyncGenerator<PlacedRow> {
    const record = await recordOf(run);
    const readLabels = () => readLabelSet(redis, keys, record.labelSet);
    yield* readRows(store, record, readLabels, { onUnreadable, places });
  }

  async function* newRowsOf(
    run: string,
    signal: AbortSignal,
    onUnreadable?: (id: string) => void,
  ): AsyncGenerator<PublicRow[]> {
    const record = await recordOf(run);
    yield* followRows({
      store,
      run: record,
      readLabelSet: () => readLabelSet(redis, keys, record.labelSet),
      look: () => readProgress({ runs, store }, run),
      signal,
      onUnreadable,
    });
  }

  return {
    /**
     * The rows there are so far, each once; in the order of the input up to 100,000 images.
     *
     * @throws RUN_UNKNOWN, STORE_MISMATCH, LABEL_SET_UNKNOWN, and the signal's reason at once
     */
    rows: (run: string, options: RowsOptions = {}): AsyncGenerator<PlacedRow> =>
      itemsUntilAborted(options.signal, rowsOf(run, options)),

    /**
     * The rows as they come until the run has ended, in groups. A row that was replaced comes again: of two with one id, the
     * later one counts, which has the higher generation.
     *
     * @throws RUN_UNKNOWN, STORE_MISMATCH, LABEL_SET_UNKNOWN, and the signal's reason at once
     */
    newRows: (run: string, { signal, onUnreadable }: RowsOptions = {}): AsyncGenerator<PublicRow[]> =>
      itemsUntilAborted(signal, newRowsOf(run, signal ?? new AbortController().signal, onUnreadable)),

    /** The row of one image of a run, as far as there is one. @throws RUN_UNKNOWN, STORE_MISMATCH */
    async row(run: string, id: string): Promise<PublicRow | undefined> {
      const record = await recordOf(run);
      const row = await store.getRow(run, id);
      if (!row) return undefined;
      const nameless = row.status === 'failed' || record.labelSet === noLabelSet;
      const labels = nameless ? [] : (await readLabelSet(redis, keys, record.labelSet)).labels;
      return publicRow(row, record, labels);
    },

    /** The label set of a run. @throws RUN_UNKNOWN, STORE_MISMATCH, LABEL_SET_UNKNOWN */
    labelSetOf: async (run: string): Promise<LabelSet> =>
      readLabelSet(redis, keys, (await recordOf(run)).labelSet),
  };
}
