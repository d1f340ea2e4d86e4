import type { Row } from '../row.ts';
import { rankOf } from '../rowCodec.ts';
import { float4s, int4s, texts } from './arrays.ts';
import { storable, storedId } from './rowTexts.ts';
import { LOCK_CLASS } from './tables.ts';

/** A row with the keys of its run and of its model's fingerprint. */
export interface KeyedRow {
  run: number;
  /** Null for a failed row. */
  fingerprint: number | null;
  row: Row;
}

/** What each prediction of a row has besides its score: a sum of these. */
const [WITH_LOGIT, WITH_COSINE] = [1, 2];

/**
 * Rows of any runs: written where they win, counted by what became of them, all or nothing. Answers, for each run: whether it takes
 * rows, refuses them, or is not known.
 *
 * The advisory lock keeps a cancellation from being overtaken for ever by writers that come one after the other: locks on
 * the run's row alone are shared without a queue. `FOR SHARE` then reads that row as it is once the lock is had. A row that takes the
 * place of another keeps what that counted as, because `ON CONFLICT` tells nothing else of it.
 */
export const putStatement = `
WITH turn AS MATERIALIZED (
  SELECT pg_advisory_xact_lock_shared(${LOCK_CLASS}, key)::text AS taken FROM unnest($1::int4[]) AS key
), taking AS MATERIALIZED (
  SELECT runs.key FROM clipfleet.runs, (SELECT count(taken) FROM turn) AS turns
  WHERE runs.key = ANY ($1) AND NOT runs.refused FOR SHARE OF runs
), given AS (
  SELECT * FROM unnest($2::int4[], $3::text[], $4::text[], $5::text[], $6::int4[], $7::int4[], $8::int4[], $9::int4[],
    $10::int4[], $11::int4[], $12::int4[], $13::int4[], $14::text[], $15::text[])
  AS given (run, id, whole_id, uri, generation, chunk, place, at, from_, to_, outputs, fingerprint, code, message)
), put AS (
  INSERT INTO clipfleet.rows AS there
    (run, id, whole_id, uri, generation, chunk, place, at, labels, scores, logits, cosines, fingerprint, code, message)
  SELECT run, id, whole_id, uri, generation, chunk, place, to_timestamp(at),
    CASE WHEN code IS NULL THEN ($16::int4[])[from_:to_] END,
    CASE WHEN code IS NULL THEN ($17::float4[])[from_:to_] END,
    CASE WHEN outputs & ${WITH_LOGIT} > 0 THEN ($18::float4[])[from_:to_] END,
    CASE WHEN outputs & ${WITH_COSINE} > 0 THEN ($19::float4[])[from_:to_] END,
    fingerprint, code, message
  FROM given JOIN taking ON taking.key = given.run
  ON CONFLICT (run, id) DO UPDATE SET
    uri = excluded.uri, generation = excluded.generation, chunk = excluded.chunk, place = excluded.place, at = excluded.at,
    labels = excluded.labels, scores = excluded.scores, logits = excluded.logits, cosines = excluded.cosines,
    fingerprint = excluded.fingerprint, code = excluded.code, message = excluded.message,
    replaced = coalesce(there.code, 'classified')
  WHERE (excluded.generation, excluded.code IS NULL) > (there.generation, there.code IS NULL)
  RETURNING run, coalesce(code, 'classified') AS status, replaced
), counted AS (
  INSERT INTO clipfleet.counts (run, status, rows)
  SELECT run, status, sum(by) FROM (
    SELECT run, status, 1 AS by FROM put UNION ALL SELECT run, replaced, -1 FROM put WHERE replaced IS NOT NULL
  ) AS moved GROUP BY run, status HAVING sum(by) <> 0
)
SELECT asked.key, CASE WHEN taking.key IS NOT NULL THEN 'takes' WHEN runs.key IS NOT NULL THEN 'refuses' ELSE 'unknown' END AS state
FROM unnest($1) AS asked(key) LEFT JOIN taking ON taking.key = asked.key LEFT JOIN clipfleet.runs ON runs.key = asked.key`;

/** What a run did with rows. */
export type RunAnswer = 'takes' | 'refuses' | 'unknown';

/** The values of the statement. Of rows of one image the highest goes, the first of equal ones. */
export function putValues(all: readonly KeyedRow[]): unknown[] {
  const rows = inOrder(all);
  const column = <T>(of: (keyed: (typeof rows)[number]) => T) => rows.map(of);
  const predictions = rows.flatMap(({ row }) => (row.status === 'classified' ? row.predictions : []));
  let to = 0;
  const places = column(({ row }) => {
    const from = to + 1;
    if (row.status === 'classified') to += row.predictions.length;
    return { from, to };
  });
  return [
    int4s([...new Set(column(({ run }) => run))].sort((a, b) => a - b)),
    int4s(column(({ run }) => run)),
    texts(column(({ id }) => id)),
    texts(column(({ wholeId }) => wholeId)),
    texts(column(({ row }) => (row.uri === row.id ? null : storable(row.uri)))),
    int4s(column(({ row }) => row.generation)),
    int4s(column(({ row }) => row.place.chunk)),
    int4s(column(({ row }) => row.place.index)),
    int4s(column(({ row }) => row.at)),
    int4s(places.map(({ from }) => from)),
    int4s(places.map(({ to }) => to)),
    int4s(column(({ row }) => outputsOf(row))),
    int4s(column(({ fingerprint }) => fingerprint)),
    texts(column(({ row }) => (row.status === 'failed' ? row.error.code : null))),
    texts(column(({ row }) => (row.status === 'failed' ? storable(row.error.message) : null))),
    int4s(predictions.map(({ index }) => index)),
    float4s(predictions.map(({ score }) => score)),
    float4s(predictions.map(({ logit = 0 }) => logit)),
    float4s(predictions.map(({ cosine = 0 }) => cosine)),
  ];
}

/** All predictions of a row have the same outputs: those their label set asks for. */
function outputsOf(row: Row): number {
  const first = row.status === 'classified' ? row.predictions[0] : undefined;
  return (first?.logit === undefined ? 0 : WITH_LOGIT) + (first?.cosine === undefined ? 0 : WITH_COSINE);
}

/** Each key once, and in one order for all who write, so that no two wait for each other. */
function inOrder(all: readonly KeyedRow[]) {
  const byKey = new Map<string, KeyedRow & ReturnType<typeof storedId>>();
  for (const keyed of all) {
    const stored = storedId(keyed.row.id);
    const key = `${keyed.run} ${stored.id}`;
    const known = byKey.get(key);
    if (!known || rankOf(known.row) < rankOf(keyed.row)) byKey.set(key, { ...keyed, ...stored });
  }
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, keyed]) => keyed);
}
