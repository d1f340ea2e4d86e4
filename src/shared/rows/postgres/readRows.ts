import type { ErrorCode } from '../../errors.ts';
import type { RankedLabel } from '../prediction.ts';
import type { RowCounts } from '../resultsStore.ts';
import type { Row } from '../row.ts';
import { readId } from './rowTexts.ts';

/** Rows of a run whose number is $1. */
const rows = `
SELECT id, whole_id AS "wholeId", uri, generation, chunk, place, extract(epoch FROM at)::float8 AS at, labels, scores, logits, cosines,
  fingerprints.fingerprint, code, message
FROM clipfleet.rows LEFT JOIN clipfleet.fingerprints ON fingerprints.key = rows.fingerprint
WHERE run = $1`;

/** Those after the id $2, so many ($3). */
export const pageStatement = `${rows} AND id > $2 ORDER BY id LIMIT $3`;

/** The one whose id is $2. */
export const rowStatement = `${rows} AND id = $2`;

/** A line of them. */
export interface StoredRow {
  id: string;
  wholeId: string | null;
  uri: string | null;
  generation: number;
  chunk: number;
  place: number;
  at: number;
  labels: number[] | null;
  scores: number[] | null;
  logits: number[] | null;
  cosines: number[] | null;
  fingerprint: string | null;
  code: string | null;
  message: string | null;
}

export function rowOf(stored: StoredRow): Row {
  const { generation, chunk, place, at, code, message, fingerprint } = stored;
  const id = readId(stored);
  const base = { id, uri: stored.uri ?? id, generation, place: { chunk, index: place }, at };
  if (code !== null)
    return { ...base, status: 'failed', error: { code: code as ErrorCode, message: message! } };
  return { ...base, status: 'classified', predictions: predictionsOf(stored), fingerprint: fingerprint! };
}

/** PostgreSQL writes the shortest text of a float32: read as a float64 it would be another number. */
function predictionsOf({ labels, scores, logits, cosines }: StoredRow): RankedLabel[] {
  return labels!.map((index, i) => ({
    index,
    score: Math.fround(scores![i]!),
    ...(logits && { logit: Math.fround(logits[i]!) }),
    ...(cosines && { cosine: Math.fround(cosines[i]!) }),
  }));
}

/** Rows by what they count as: `classified`, or the code of their error. */
export interface StatusCount {
  status: string;
  rows: number;
}

export function countsOf(statuses: readonly StatusCount[]): RowCounts {
  const counts: RowCounts = { classified: 0, failed: 0, failures: {} };
  for (const { status, rows } of statuses) {
    if (rows === 0) continue;
    if (status === 'classified') {
      counts.classified = rows;
      continue;
    }
    counts.failed += rows;
    counts.failures[status] = rows;
  }
  return counts;
}
