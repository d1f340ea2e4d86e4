import { namedRun } from '../../birth.ts';
import type { FoundRow, ResultsStore } from '../resultsStore.ts';
import type { Row } from '../row.ts';
import { compactCounts, readStatuses, recountRows } from './counts.ts';
import { createGather } from './gather.ts';
import { type KeyedRow, putStatement, putValues, type RunAnswer } from './putStatement.ts';
import { countsOf, pageStatement, rowOf, rowStatement, type StoredRow } from './readRows.ts';
import { withoutRefused } from './refusedRows.ts';
import { readId, storedId } from './rowTexts.ts';
import { createRunKeys, type RunRecords } from './runKeys.ts';
import type { SqlSession, SqlSessions } from './sqlSession.ts';
import { LOCK_CLASS } from './tables.ts';

/** Rows of one statement at most. */
const STATEMENT_ROWS = 1_000;
/** After so many statements the counts they appended are summed up. */
const STATEMENTS_PER_COMPACTION = 1_000;

const PAGE_ROWS = 2_000;
const REMOVED_AT_ONCE = 10_000;

/**
 * Rows in PostgreSQL, for those that outlive the queue and for people who ask with SQL.
 *
 * @param sessions to a database whose tables are there
 * @param name of the store, which the tables know
 */
export function createPostgresStore(sessions: SqlSessions, records: RunRecords, name: string): ResultsStore {
  const { query, inTransaction } = sessions;
  const runKeys = createRunKeys(sessions, records);
  let statements = 0;

  const put = withoutRefused(async (rows) => {
    const answers = await query<{ key: number; state: RunAnswer }>(putStatement, putValues(rows));
    if (++statements % STATEMENTS_PER_COMPACTION === 0)
      for (const { key } of answers) await compactCounts(sessions, key);
    return new Map(answers.map(({ key, state }) => [key, state]));
  });
  const gather = createGather(put, STATEMENT_ROWS);

  /** The run's number as it is now. Whoever reads asks each time: another process may have removed the run and opened it anew. */
  const readKey = (run: string): Promise<number | undefined> => {
    runKeys.forget(run);
    return runKeys.keyOf(run);
  };

  async function keyed(run: number, rows: readonly Row[]): Promise<KeyedRow[]> {
    const all: KeyedRow[] = [];
    for (const row of rows) {
      const fingerprint = row.status === 'failed' ? null : await runKeys.fingerprintKey(row.fingerprint);
      all.push({ run, fingerprint, row });
    }
    return all;
  }

  const store: ResultsStore = {
    name,
    address: sessions.address,

    // Rows of each birth have a number of their own: what an earlier run has left stays apart.
    // Those that have expired go when the next one comes.
    async bear({ run, expiresAt }) {
      runKeys.forget(run);
      if (expiresAt !== undefined) await query(removeExpiredStatement);
    },

    async putRows(of, rows) {
      if (rows.length === 0) return;
      const { run, birth } = namedRun(of);
      let refusedBy: number | undefined;
      for (;;) {
        const key = await runKeys.keyOf(run, birth);
        if (key === undefined || key === refusedBy) return;
        const state = (await gather(await keyed(key, rows))).get(key);
        if (state === 'takes') return;
        if (state === 'unknown') runKeys.forgetAll();
        // A run of the same id that was opened since takes them, if there is one.
        else [refusedBy] = [key, runKeys.forget(run)];
      }
    },

    async getRows(run, cursor = '') {
      const key = await readKey(run);
      if (key === undefined) return { rows: [], cursor: undefined };
      const stored = await query<StoredRow>(pageStatement, [key, cursor, PAGE_ROWS]);
      return { rows: stored.map(rowOf), cursor: stored.length < PAGE_ROWS ? undefined : stored.at(-1)!.id };
    },

    async getRow(run, id) {
      const key = await readKey(run);
      if (key === undefined) return undefined;
      const [stored] = await query<StoredRow>(rowStatement, [key, storedId(id).id]);
      return stored && rowOf(stored);
    },

    async counts(run) {
      const key = await readKey(run);
      return countsOf(key === undefined ? [] : await readStatuses(sessions, key));
    },

    async find(run, ids) {
      const key = await readKey(run);
      if (key === undefined || ids.length === 0) return new Map();
      const rows = await query<FoundLine>(findStatement, [key, ids.map((id) => storedId(id).id)]);
      return new Map(rows.map((row): [string, FoundRow] => [readId(row), foundRow(row)]));
    },

    async refuse(run) {
      const key = await readKey(run);
      if (key === undefined) return;
      await inTransaction((session) => refuseRows(session, key, false));
    },

    async recount(run, mend) {
      const key = await readKey(run);
      if (key === undefined) return { stored: countsOf([]), counted: countsOf([]) };
      return inTransaction(async (session) => {
        if (mend) await holdUp(session, key);
        else await session.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
        return recountRows(session, key, mend);
      });
    },

    async remove(run) {
      const key = await readKey(run);
      if (key === undefined) return;
      // The run's line stays: rows that come late are refused by it.
      await inTransaction((session) => refuseRows(session, key, true));
      let gone: unknown[];
      do gone = await query(removeStatement, [key, REMOVED_AT_ONCE]);
      while (gone.length > 0);
      await query('DELETE FROM clipfleet.counts WHERE run = $1', [key]);
      runKeys.forget(run);
    },

    close: () => sessions.close(),
  };
  return store;
}

type FoundLine = Pick<StoredRow, 'id' | 'wholeId' | 'generation' | 'chunk' | 'place'>;

const findStatement = `
SELECT id, whole_id AS "wholeId", generation, chunk, place FROM clipfleet.rows WHERE run = $1 AND id = ANY ($2::text[])`;

/** A bounded part of a run's rows, so that no statement takes as long as the run is large. Answers one line where there were any. */
const removeStatement = `
WITH gone AS (
  DELETE FROM clipfleet.rows WHERE run = $1 AND id IN (SELECT id FROM clipfleet.rows WHERE run = $1 LIMIT $2) RETURNING 1
)
SELECT 1 FROM gone LIMIT 1`;

/** Of the runs that have expired, a bounded part, each with its rows. No worker knows of them any more. */
const removeExpiredStatement = `
WITH expired AS MATERIALIZED (
  SELECT key FROM clipfleet.runs WHERE expires_at < now() ORDER BY expires_at LIMIT 100 FOR UPDATE SKIP LOCKED
), without_rows AS (
  DELETE FROM clipfleet.rows USING expired WHERE rows.run = expired.key
), without_counts AS (
  DELETE FROM clipfleet.counts USING expired WHERE counts.run = expired.key
)
DELETE FROM clipfleet.runs USING expired WHERE runs.key = expired.key`;

function foundRow({ generation, chunk, place }: FoundLine): FoundRow {
  return { generation, place: { chunk, index: place } };
}

/** Until the transaction ends nobody writes rows of the run. */
async function holdUp({ query }: SqlSession, key: number): Promise<void> {
  await query('SELECT pg_advisory_xact_lock($1, $2)', [LOCK_CLASS, key]);
}

async function refuseRows(session: SqlSession, key: number, isRemoved: boolean): Promise<void> {
  await holdUp(session, key);
  const removedAt = isRemoved ? 'now()' : 'removed_at';
  await session.query(`UPDATE clipfleet.runs SET refused = true, removed_at = ${removedAt} WHERE key = $1`, [
    key,
  ]);
}
