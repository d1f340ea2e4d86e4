import type { SqlSession } from './sqlSession.ts';

/** One step of the tables, for each version that there was. A step that people have is never changed: another one follows it. */
const steps: readonly string[] = [
  `
CREATE TABLE clipfleet.runs (
  key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run text COLLATE "C" NOT NULL,
  birth text COLLATE "C" NOT NULL,
  model text NOT NULL,
  label_set text COLLATE "C" NOT NULL,
  opened_at timestamptz NOT NULL DEFAULT now(),
  refused boolean NOT NULL DEFAULT false,
  removed_at timestamptz,
  UNIQUE (run, birth)
);
CREATE TABLE clipfleet.labels (
  label_set text COLLATE "C",
  place integer,
  label text NOT NULL,
  PRIMARY KEY (label_set, place)
);
CREATE INDEX labels_by_name ON clipfleet.labels USING hash (label);
CREATE TABLE clipfleet.fingerprints (
  key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  fingerprint text COLLATE "C" NOT NULL UNIQUE
);
CREATE TABLE clipfleet.rows (
  run integer NOT NULL,
  id text COLLATE "C" NOT NULL,
  whole_id text,
  uri text,
  generation integer NOT NULL,
  chunk integer NOT NULL,
  place integer NOT NULL,
  at timestamptz NOT NULL,
  labels integer[],
  scores real[],
  logits real[],
  cosines real[],
  fingerprint integer,
  code text COLLATE "C",
  message text,
  replaced text COLLATE "C",
  PRIMARY KEY (run, id)
);
CREATE INDEX rows_by_label ON clipfleet.rows (run, (labels[1]), (scores[1]));
CREATE TABLE clipfleet.counts (run integer NOT NULL, status text COLLATE "C" NOT NULL, rows bigint NOT NULL);
CREATE INDEX counts_by_run ON clipfleet.counts (run);
CREATE VIEW clipfleet.images AS
SELECT runs.run, runs.birth, coalesce(rows.whole_id, rows.id) AS id, coalesce(rows.uri, rows.id) AS uri,
  CASE WHEN rows.code IS NULL THEN 'classified' ELSE 'failed' END AS status,
  best.label, rows.scores[1] AS score, rows.code AS error, rows.message, rows.generation, rows.chunk, rows.place,
  rows.at, runs.model, fingerprints.fingerprint, runs.label_set
FROM clipfleet.rows
JOIN clipfleet.runs ON runs.key = rows.run AND runs.removed_at IS NULL
LEFT JOIN clipfleet.labels AS best ON best.label_set = runs.label_set AND best.place = rows.labels[1]
LEFT JOIN clipfleet.fingerprints ON fingerprints.key = rows.fingerprint;
CREATE VIEW clipfleet.predictions AS
SELECT runs.run, runs.birth, coalesce(rows.whole_id, rows.id) AS id, coalesce(rows.uri, rows.id) AS uri,
  ranked.rank, labels.label, ranked.score, ranked.logit, ranked.cosine, rows.generation, rows.at, runs.model,
  fingerprints.fingerprint, runs.label_set
FROM clipfleet.rows
JOIN clipfleet.runs ON runs.key = rows.run AND runs.removed_at IS NULL
CROSS JOIN LATERAL unnest(rows.labels, rows.scores, rows.logits, rows.cosines)
  WITH ORDINALITY AS ranked (place, score, logit, cosine, rank)
LEFT JOIN clipfleet.labels ON labels.label_set = runs.label_set AND labels.place = ranked.place
LEFT JOIN clipfleet.fingerprints ON fingerprints.key = rows.fingerprint;`,
  `
ALTER TABLE clipfleet.runs ADD COLUMN expires_at timestamptz;
CREATE INDEX runs_by_end ON clipfleet.runs (expires_at) WHERE expires_at IS NOT NULL;`,
];

/** The version of the tables that this code writes and reads. */
export const TABLES_VERSION = steps.length;

/** Nobody else's advisory lock is likely to be this one: the letters `clip` as a number. */
export const LOCK_CLASS = 0x636c6970;

/** Of locks of LOCK_CLASS, the one for making the tables; the others are runs, from 1. */
const TABLES_LOCK = 0;

/** Which store it is, and how its tables are. */
export interface TablesState {
  /** Given to the tables when they are made; the same for all who reach them, whatever they call the server. */
  id: string;
  version: number;
}

/** What the tables say of themselves; undefined where there are none. */
export async function readTables({ query }: SqlSession): Promise<TablesState | undefined> {
  // Asked of the catalog itself: `to_regclass` may remember that there was none before a lock was waited for.
  const [found] = await query<{ there: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_catalog.pg_tables WHERE schemaname = 'clipfleet' AND tablename = 'store') AS there`,
  );
  if (!found!.there) return undefined;
  const [state] = await query<TablesState>('SELECT id, version FROM clipfleet.store');
  return state;
}

/**
 * Makes the tables, or brings them to this version, in the transaction of the session: of several who come at once one does it,
 * and the others wait.
 *
 * @param id for tables that are made now
 */
export async function makeTables(session: SqlSession, id: string): Promise<TablesState> {
  const { query } = session;
  await query('SELECT pg_advisory_xact_lock($1, $2)', [LOCK_CLASS, TABLES_LOCK]);
  let state = await readTables(session);
  if (!state) {
    // A schema that is there already may have been made by somebody who may, for somebody who may not.
    await query(`DO $$ BEGIN
      IF to_regnamespace('clipfleet') IS NULL THEN CREATE SCHEMA clipfleet; END IF;
    END $$`);
    await query('CREATE TABLE clipfleet.store (id text NOT NULL, version integer NOT NULL)');
    await query('INSERT INTO clipfleet.store (id, version) VALUES ($1, 0)', [id]);
    state = { id, version: 0 };
  }
  for (const step of steps.slice(state.version)) await query(step);
  if (state.version >= TABLES_VERSION) return state;
  await query('UPDATE clipfleet.store SET version = $1', [TABLES_VERSION]);
  return { ...state, version: TABLES_VERSION };
}
