import type { PublicRow } from '../../shared/rows/row.ts';
import type { Decision } from '../decisions/judge.ts';
import { bestOf, type ExportRow } from './exportedRun.ts';

/** Which rows are wanted; what is undefined leaves none out. */
export interface RowFilter {
  /** Rows whose best label is one of these. */
  labels?: readonly string[] | undefined;
  /** Bounds of the best label's score, both included; rows without a best label have no score. */
  minScore?: number | undefined;
  maxScore?: number | undefined;
  status?: PublicRow['status'] | undefined;
  decision?: Decision | undefined;
}

export function isWanted(
  row: ExportRow,
  { labels, minScore, maxScore, status, decision }: RowFilter,
): boolean {
  if (decision !== undefined && row.decision !== decision) return false;
  if (status !== undefined && row.status !== status) return false;
  if (labels === undefined && minScore === undefined && maxScore === undefined) return true;
  const best = bestOf(row);
  if (best === undefined) return false;
  if (labels !== undefined && !labels.includes(best.label)) return false;
  // A bound is meant as it is typed: 0.7 is not above the float32 0.7.
  return Math.fround(minScore ?? -Infinity) <= best.score && best.score <= Math.fround(maxScore ?? Infinity);
}
