import { setTimeout as delay } from 'node:timers/promises';
import type { LabelSet } from '../../shared/labels/labelSet.ts';
import type { ResultsStore } from '../../shared/rows/resultsStore.ts';
import { noLabelSet, type PublicRow, publicRow, type Row, type RowPlace } from '../../shared/rows/row.ts';
import type { Run } from '../../shared/runs/run.ts';
import { readingRun } from '../../shared/runs/runErrors.ts';
import { createSeenRows } from './newRows.ts';

/** Up to so many rows are held in memory to give them in the order of the input; more come as the store has them. */
const SORTED_ROWS_MAX = 100_000;

type OnUnreadable = ((id: string) => void) | undefined;

/** A row that may say where it stands in its run. */
export type PlacedRow = PublicRow & { place?: RowPlace };

/** Between two looks at a run that goes on. */
const PAUSE_MIN_MS = 500;

/** The rows of a run, each once; `onUnreadable` is told of ids that have something else. The label set is asked for once, by the first classified row. */
export async function* readRows(
  store: ResultsStore,
  run: Run,
  readLabelSet: () => Promise<LabelSet>,
  { onUnreadable, places = false }: { onUnreadable?: OnUnreadable; places?: boolean | undefined } = {},
): AsyncGenerator<PlacedRow> {
  const publicly = namer(run, readLabelSet);
  const named = async (row: Row): Promise<PlacedRow> =>
    places ? { ...(await publicly(row)), place: row.place } : publicly(row);
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

/** Makes rows public, with a label set that is read once. */
function namer(run: Run, readLabelSet: () => Promise<LabelSet>): (row: Row) => Promise<PublicRow> {
  let labelSet: Promise<LabelSet> | undefined;
  return async (row) => {
    // A run whose label set is unknown has failed rows only; one for vectors alone has none.
    if (row.status !== 'classified' || run.labelSet === noLabelSet) return publicRow(row, run, []);
    labelSet ??= readLabelSet();
    return publicRow(row, run, (await labelSet).labels);
  };
}

/** While a run is written to, a page may repeat rows of an earlier one; of a complete run none need be remembered. */
async function* eachRowOnce(
  store: ResultsStore,
  { run, state }: Run,
  onUnreadable?: (id: string) => void,
): AsyncGenerator<Row> {
  const seen = state === 'complete' ? undefined : createSeenRows();
  for await (const rows of pagesOf(store, run, onUnreadable)) yield* seen ? rows.filter(seen.isNew) : rows;
}

async function* pagesOf(
  store: ResultsStore,
  run: string,
  onUnreadable?: (id: string) => void,
): AsyncGenerator<Row[]> {
  let cursor: string | undefined;
  do {
    const page = await readingRun(run, () => store.getRows(run, cursor));
    for (const id of page.unreadable ?? []) onUnreadable?.(id);
    yield page.rows;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

export interface FollowedRun {
  store: ResultsStore;
  run: Run;
  readLabelSet: () => Promise<LabelSet>;
  /** How many rows of which kind there are, and whether there will be no more. */
  look: () => Promise<{ classified: number; failed: number; ended: boolean }>;
  signal: AbortSignal;
  onUnreadable?: ((id: string) => void) | undefined;
}

/**
 * The rows of a run as they come, page by page, until it has ended; a row that was replaced comes again. Looks through all rows
 * when their counts have moved, and rests at least as long as that took. @throws the signal's reason
 */
export async function* followRows({
  store,
  run,
  readLabelSet,
  look,
  signal,
  onUnreadable,
}: FollowedRun): AsyncGenerator<PublicRow[]> {
  const seen = createSeenRows();
  const named = namer(run, readLabelSet);
  let before = '';
  for (;;) {
    const startedAt = performance.now();
    const { ended, classified, failed } = await look();
    const now = `${classified} ${failed}`;
    if (ended || now !== before) {
      for await (const rows of pagesOf(store, run.run, onUnreadable)) {
        signal.throwIfAborted();
        yield await Promise.all(rows.filter(seen.isNew).map(named));
      }
    }
    if (ended) return;
    before = now;
    await delay(Math.max(performance.now() - startedAt, PAUSE_MIN_MS), undefined, { signal });
  }
}
