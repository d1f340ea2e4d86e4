import type Pg from 'pg';
import type { Client, Pool, PoolClient, QueryConfig } from 'pg';
import { ClipfleetError } from '../../errors.ts';

/** Where statements go: a connection. */
export interface SqlSession {
  /** The statement's rows. A value that is a Buffer goes as PostgreSQL's own binary form. */
  query<T extends object>(text: string, values?: readonly unknown[]): Promise<T[]>;
}

/** Connections to one database, made when they are needed. */
export interface SqlSessions extends SqlSession {
  /** Does the work in one transaction, on one connection. */
  inTransaction<T>(work: (session: SqlSession) => Promise<T>): Promise<T>;
  /** `postgres://HOST:PORT/DATABASE`, without user and password. */
  address: string;
  close(): Promise<void>;
}

/** For a connection to be made, and for a statement to be answered. A statement of many rows is one of 10,000. */
const [CONNECT_MS, ANSWER_MS] = [5_000, 60_000];

/** One writes, the others read. */
const CONNECTIONS_MAX = 4;

/**
 * The one place where `pg` is loaded. No connection is made yet. One that broke off is thrown away, and the next statement makes
 * another.
 *
 * @throws USAGE for what is no URL
 */
export async function openSessions(url: string): Promise<SqlSessions> {
  const { default: pg } = await import('pg');
  const { host, port, database } = clientOf(pg, url);
  const pool: Pool = new pg.Pool({
    connectionString: url,
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: ANSWER_MS,
    keepAlive: true,
    application_name: 'clipfleet',
  });
  // Of a connection that nobody uses; who uses one is told by its statement.
  pool.on('error', () => {});
  return {
    query: async <T extends object>(text: string, values: readonly unknown[] = []) =>
      (await pool.query<T>(text, [...values])).rows,

    async inTransaction(work) {
      const client = await pool.connect();
      let fault: Error | undefined;
      try {
        await client.query('BEGIN');
        const answer = await work(sessionOf(client));
        await client.query('COMMIT');
        return answer;
      } catch (error) {
        fault = error as Error;
        throw error;
      } finally {
        // With its fault the connection is closed, which ends its transaction.
        client.release(fault);
      }
    },

    address: `postgres://${encodeURIComponent(host)}:${port}/${encodeURIComponent(database ?? '')}`,
    close: () => pool.end(),
  };
}

/** The error of what is no URL has that in it, with its password: it is not the cause of ours. */
function clientOf(pg: typeof Pg, url: string): Client {
  try {
    return new pg.Client(url);
  } catch {
    const message = 'Expected postgres://USER@HOST:PORT/DATABASE in CLIPFLEET_STORE, got what is no URL.';
    throw new ClipfleetError('USAGE', `${message} Write special characters of a password as %XX.`);
  }
}

function sessionOf(client: PoolClient): SqlSession {
  return {
    async query<T extends object>(text: string, values: readonly unknown[] = []) {
      const config: QueryConfig = { text, values: [...values] };
      return (await client.query<T>(config)).rows;
    },
  };
}
