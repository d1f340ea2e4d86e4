import type { PublicRow } from '../../shared/rows/row.ts';
import { alignColumns, fit, fitEnd, printable } from './printable.ts';

/** Rows a table shows one by one; of more, the rest is in the summary. */
const ROWS_SHOWN_MAX = 50;
const FAILURES_SHOWN_MAX = 20;
const PREDICTIONS_SHOWN = 3;
const ID_COLUMNS = 48;
const LABEL_COLUMNS = 24;

/** Gathers rows, one after the other, into what a person wants to see of them. Memory is bounded by the labels. */
export function createTable() {
  const shown: string[][] = [];
  const best = new Map<string, number>();
  const failures: PublicRow[] = [];
  const codes = new Map<string, number>();
  let classified = 0;

  function addFailed(row: Extract<PublicRow, { status: 'failed' }>): void {
    codes.set(row.error.code, (codes.get(row.error.code) ?? 0) + 1);
    if (failures.length < FAILURES_SHOWN_MAX) failures.push(row);
  }

  return {
    get failed() {
      return [...codes.values()].reduce((sum, n) => sum + n, 0);
    },

    add(row: PublicRow): void {
      if (row.status === 'failed') {
        addFailed(row);
        return;
      }
      classified++;
      const first = row.predictions[0]?.label ?? '(none above the threshold)';
      best.set(first, (best.get(first) ?? 0) + 1);
      if (shown.length >= ROWS_SHOWN_MAX) return;
      const cells = row.predictions.slice(0, PREDICTIONS_SHOWN);
      shown.push([
        fitEnd(row.id, ID_COLUMNS),
        ...cells.map(({ label, score }) => `${fit(label, LABEL_COLUMNS)} ${formatScore(score)}`),
      ]);
    },

    /** The table, the summary by best label, and the failed images with their codes. */
    format(): string {
      const parts: string[] = [];
      if (shown.length > 0) parts.push(alignColumns(shown));
      if (classified > shown.length) parts.push(`… ${classified - shown.length} more`);
      if (best.size > 0) parts.push(formatBest(best));
      if (failures.length > 0) parts.push(formatFailures(failures, codes));
      return `${parts.join('\n\n')}\n`;
    },
  };
}

function formatScore(score: number): string {
  return score.toFixed(3);
}

function formatBest(best: Map<string, number>): string {
  const ranked = [...best].sort(([, a], [, b]) => b - a);
  const lines = ranked.slice(0, 20).map(([label, images]) => `${fit(label, LABEL_COLUMNS)} ${images}`);
  const more = ranked.length > 20 ? `, and ${ranked.length - 20} labels more` : '';
  return `Best label, images: ${lines.join(', ')}${more}`;
}

function formatFailures(rows: PublicRow[], codes: Map<string, number>): string {
  const lines = rows.map((row) =>
    row.status === 'failed' ? [fitEnd(row.id, ID_COLUMNS), row.error.code, printable(row.error.message)] : [],
  );
  const total = [...codes.values()].reduce((sum, n) => sum + n, 0);
  const byCode = [...codes].map(([code, n]) => `${code} ${n}`).join(', ');
  const more = total > rows.length ? `\n… ${total - rows.length} more` : '';
  return `Failed, ${total}: ${byCode}\n${alignColumns(lines)}${more}`;
}
