import { randomBytes } from 'node:crypto';
import type { BackOffOptions } from '../../backOff.ts';
import { ClipfleetError } from '../../errors.ts';
import type { ResultsStore } from '../resultsStore.ts';
import { passes } from './faults.ts';
import { withPatience } from './patience.ts';
import { createPostgresStore } from './postgresStore.ts';
import type { RunRecords } from './runKeys.ts';
import { openSessions, type SqlSessions } from './sqlSession.ts';
import { makeTables, readTables, TABLES_VERSION, type TablesState } from './tables.ts';

/** `ON CONFLICT` with what else the statements need is older; nobody keeps servers below this up to date. */
const OLDEST_VERSION = 12;

/**
 * The store of a database, whose tables are made or brought up to date where they are not.
 *
 * Only the first connection fails fast, because then the address is probably wrong. Later the store outlives an absent server.
 *
 * @throws STORE_UNAVAILABLE, STORE_UNSUITABLE
 */
export async function openPostgres(
  url: string,
  records: RunRecords,
  log: BackOffOptions['log'],
): Promise<ResultsStore> {
  const sessions = await openSessions(url);
  try {
    const { id } = await readyTables(sessions);
    return createPostgresStore(withPatience(sessions, log), records, `postgres:${id}`);
  } catch (error) {
    await sessions.close();
    if (error instanceof ClipfleetError) throw error;
    const reason = (error as Error).message || String((error as { code?: unknown }).code);
    const said = `Expected a PostgreSQL database at ${sessions.address}, got: ${reason}.`;
    const remedy = passes(error) ? 'Start the server, or correct' : 'Correct';
    throw new ClipfleetError('STORE_UNAVAILABLE', `${said} ${remedy} CLIPFLEET_STORE.`, { cause: error });
  }
}

async function readyTables(sessions: SqlSessions): Promise<TablesState> {
  const [server] = await sessions.query<{ version: number; encoding: string }>(
    `SELECT current_setting('server_version_num')::int4 / 10000 AS version, current_setting('server_encoding') AS encoding`,
  );
  const { version, encoding } = server!;
  if (version < OLDEST_VERSION)
    throw unsuitable(`PostgreSQL ${OLDEST_VERSION} or newer, got ${version}: upgrade the server.`);
  if (encoding !== 'UTF8')
    throw unsuitable(`a database with encoding UTF8, got ${encoding}: create one WITH ENCODING 'UTF8'.`);
  const there = await readTables(sessions);
  const id = randomBytes(6).toString('hex');
  const state =
    there && there.version >= TABLES_VERSION
      ? there
      : await sessions.inTransaction((session) => makeTables(session, id));
  if (state.version > TABLES_VERSION)
    throw unsuitable(`tables of version ${TABLES_VERSION}, got ${state.version}: upgrade this Clipfleet.`);
  return state;
}

function unsuitable(expectation: string): ClipfleetError {
  return new ClipfleetError('STORE_UNSUITABLE', `Expected ${expectation}`);
}
