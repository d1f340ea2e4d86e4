import { type Decision, decisions } from '../../results/decisions/judge.ts';
import type { ExportRow } from '../../results/rows/exportedRun.ts';
import { alignColumns, fit, fitEnd, printable } from './printable.ts';
import { formatLines } from './table.ts';

const LABELS_SHOWN_MAX = 20;
const LEAST_SURE_SHOWN = 5;
const LABEL_COLUMNS = 32;
const ID_COLUMNS = 48;
const BAR_COLUMNS = 24;
const NONE_ABOVE = '(none above the threshold)';

type FailedRow = Extract<ExportRow, { status: 'failed' }>;
type ClassifiedRow = Extract<ExportRow, { status: 'classified' }>;

/** Gathers rows into what a person wants to know of all of them. Memory is bounded by the labels. */
export function createRunSummary() {
  const best = new Map<string, number>();
  const decided = new Map<Decision, number>();
  const failures = new Map<string, { images: number; example: FailedRow }>();
  /** The classified images of the lowest best score, the lowest first. */
  const leastSure: ClassifiedRow[] = [];
  let classified = 0;
  let embedded = 0;
  let failed = 0;

  function addClassified(row: ClassifiedRow): void {
    classified++;
    if (row.decision) decided.set(row.decision, (decided.get(row.decision) ?? 0) + 1);
    const label = row.predictions[0]?.label ?? NONE_ABOVE;
    best.set(label, (best.get(label) ?? 0) + 1);
    if (row.predictions.length === 0) return;
    const place = leastSure.findIndex((other) => scoreOf(row) < scoreOf(other));
    leastSure.splice(place < 0 ? leastSure.length : place, 0, row);
    leastSure.splice(LEAST_SURE_SHOWN);
  }

  return {
    get images() {
      return classified + embedded + failed;
    },

    add(row: ExportRow): void {
      if (row.status === 'classified') {
        addClassified(row);
        return;
      }
      if (row.status === 'embedded') {
        embedded++;
        return;
      }
      failed++;
      const ofCode = failures.get(row.error.code) ?? { images: 0, example: row };
      failures.set(row.error.code, { ...ofCode, images: ofCode.images + 1 });
    },

    /** Counts and share of each label, the images that were least sure, and failures by code with an example. */
    format(columns?: number): string {
      const parts: string[] = [];
      if (classified > 0) parts.push(`Best label\n${formatLabels(best, classified)}`);
      if (decided.size > 0) parts.push(`Decisions\n${formatDecisions(decided, classified)}`);
      // Of a few images all are in the table.
      if (classified > LEAST_SURE_SHOWN) parts.push(`Least sure\n${formatLines(leastSure, columns)}`);
      if (embedded > 0) parts.push(`Embedded: ${embedded}`);
      if (failed > 0) parts.push(`Failed: ${failed}\n${formatFailures(failures)}`);
      return parts.map((part) => `${part}\n`).join('\n');
    },
  };
}

function formatDecisions(decided: ReadonlyMap<Decision, number>, images: number): string {
  const lines = decisions.map((decision) => {
    const count = decided.get(decision) ?? 0;
    return [decision, String(count).padStart(String(images).length), percent(count, images)];
  });
  return alignColumns(lines);
}

function percent(count: number, images: number): string {
  return `${((100 * count) / images).toFixed(1)} %`.padStart(7);
}

function scoreOf({ predictions }: ClassifiedRow): number {
  return predictions[0]!.score;
}

function formatLabels(best: ReadonlyMap<string, number>, images: number): string {
  const ranked = [...best].sort(([, a], [, b]) => b - a);
  const most = ranked[0]![1];
  const lines = ranked
    .slice(0, LABELS_SHOWN_MAX)
    .map(([label, count]) => [
      fit(label, LABEL_COLUMNS),
      String(count).padStart(String(most).length),
      percent(count, images),
      '█'.repeat(Math.max(1, Math.round((BAR_COLUMNS * count) / most))),
    ]);
  const rest = ranked.slice(LABELS_SHOWN_MAX);
  const others = rest.reduce((sum, [, count]) => sum + count, 0);
  const more = rest.length > 0 ? `\n… ${others} images of ${rest.length} labels more` : '';
  return `${alignColumns(lines)}${more}`;
}

function formatFailures(failures: ReadonlyMap<string, { images: number; example: FailedRow }>): string {
  const ranked = [...failures].sort(([, a], [, b]) => b.images - a.images);
  const lines = ranked.map(
    ([code, { images, example }]) =>
      `${images} ${code}, such as ${fitEnd(example.id, ID_COLUMNS)}: ${printable(example.error.message)}`,
  );
  return lines.join('\n');
}
