import type { RowCounts } from '../resultsStore.ts';
import { countsOf, type StatusCount } from './readRows.ts';
import type { SqlSession } from './sqlSession.ts';

/** Each statement appends what it changed, because a line that all change is one that all wait for. Above so many, they are summed up. */
const LINES_MAX = 1_000;

/** What the run's rows count as, summed. Sums the lines up for good where there are many. */
export async function readStatuses(session: SqlSession, key: number): Promise<StatusCount[]> {
  const statuses = await session.query<StatusCount & { lines: number }>(
    `SELECT status, sum(rows)::float8 AS rows, count(*)::int4 AS lines FROM clipfleet.counts WHERE run = $1 GROUP BY status`,
    [key],
  );
  if (statuses.reduce((sum, { lines }) => sum + lines, 0) > LINES_MAX) await compactCounts(session, key);
  return statuses;
}

/** Replaces lines by their sum; those that another process is summing up are left to it. */
export async function compactCounts({ query }: SqlSession, key: number): Promise<void> {
  await query(
    `WITH gone AS (
       DELETE FROM clipfleet.counts WHERE ctid IN (SELECT ctid FROM clipfleet.counts WHERE run = $1 FOR UPDATE SKIP LOCKED)
       RETURNING status, rows
     )
     INSERT INTO clipfleet.counts (run, status, rows) SELECT $1, status, sum(rows) FROM gone GROUP BY status HAVING sum(rows) <> 0`,
    [key],
  );
}

/** Rows that one statement counts, so that none takes as long as the run is large. */
const COUNTED_AT_ONCE = 200_000;

/** A part of a run's rows by what they count as, and the last id of it. */
const countPart = `
WITH part AS MATERIALIZED (
  SELECT id, coalesce(code, 'classified') AS status FROM clipfleet.rows WHERE run = $1 AND id > $2 ORDER BY id LIMIT $3
)
SELECT status, count(*)::float8 AS rows, max(max(id)) OVER () AS last FROM part GROUP BY status`;

/**
 * Counts the rows themselves, at one moment: in a transaction that sees no later rows, or while nobody writes any. `mend` makes
 * the stored counts what there is.
 */
export async function recountRows(
  { query }: SqlSession,
  key: number,
  mend: boolean,
  atOnce = COUNTED_AT_ONCE,
): Promise<{ stored: RowCounts; counted: RowCounts }> {
  const stored = await query<StatusCount>(
    'SELECT status, sum(rows)::float8 AS rows FROM clipfleet.counts WHERE run = $1 GROUP BY status',
    [key],
  );
  const sums = new Map<string, number>();
  let [after, counted] = ['', atOnce];
  while (counted === atOnce) {
    const part = await query<StatusCount & { last: string }>(countPart, [key, after, atOnce]);
    for (const { status, rows } of part) sums.set(status, (sums.get(status) ?? 0) + rows);
    counted = part.reduce((sum, { rows }) => sum + rows, 0);
    after = part[0]?.last ?? after;
  }
  const statuses = [...sums].map(([status, rows]) => ({ status, rows }));
  if (mend) {
    await query('DELETE FROM clipfleet.counts WHERE run = $1', [key]);
    await query(
      'INSERT INTO clipfleet.counts (run, status, rows) SELECT $1, * FROM unnest($2::text[], $3::bigint[])',
      [key, [...sums.keys()], [...sums.values()]],
    );
  }
  return { stored: countsOf(stored), counted: countsOf(statuses) };
}
