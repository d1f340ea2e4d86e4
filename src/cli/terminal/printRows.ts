import { formatOfOutput, openRowOutput } from '../../results/exports/exportFormat.ts';
import { withVectors } from '../../results/exports/vectorOutput.ts';
import type { RowOutput } from '../../results/outputs/rowOutput.ts';
import { type ExportedRun, judged } from '../../results/rows/exportedRun.ts';
import { isWanted } from '../../results/rows/rowFilter.ts';
import { begin } from '../../shared/begin.ts';
import type { Context } from '../setup/context.ts';
import type { DecisionConfig } from '../setup/decisions.ts';
import { exportedRunOf } from '../setup/exportedRun.ts';
import { vectorsFor } from '../setup/exportVectors.ts';
import { printable } from './printable.ts';
import { createRunSummary } from './runSummary.ts';
import { columnsOf, say } from './screen.ts';
import { createTable } from './table.ts';

/** So many rows a screen holds: of a run that small, every image is shown. */
const SHORT_ROWS = 20;

/** Of rows that are none, so many are named. */
const NAMED_MAX = 10;

export interface PrintOptions {
  /** A line for each image: always, where there are few, or never. */
  table: 'always' | 'short' | 'never';
  /** What there is to say of all rows: labels, least sure, failures. */
  summary: boolean;
  /** Where the rows go in full; `-` is standard output, where the rest then gives way to standard error. */
  output?: string | undefined;
  /** What decides about answers, and rows of which decision are wanted; the run's thresholds, and all, when absent. */
  decide?: DecisionConfig;
}

/** Prints a run's rows for people, writes them to a file, or both. Resolves to the number of failed images. */
export async function printRows(
  context: Context,
  run: string,
  { table: shown, summary: summed, output, decide = {} }: PrintOptions,
): Promise<number> {
  const { producer } = context;
  const unreadable = new Set<string>();
  const onUnreadable = (id: string) => void unreadable.add(id);
  const exported = await exportedRunOf(context, run, { decide });
  const opened = output === undefined ? undefined : await openOutput(context, exported, output);
  const { output: written, places = false } = opened ?? {};
  const rows = await begin(producer.rows(run, { onUnreadable, places }));
  const table = createTable();
  const summary = createRunSummary();
  const filter = { decision: decide.decision };
  let failed = 0;
  for await (const found of rows) {
    if (found.status === 'failed') failed++;
    const row = judged(found, exported);
    if (!isWanted(row, filter)) continue;
    table.add(row);
    summary.add(row);
    const goesOn = (await written?.write(row)) ?? true;
    if (!goesOn) break;
  }
  for (const sentence of (await written?.end()) ?? []) say(sentence);
  const screen = output === '-' ? process.stderr : process.stdout;
  const columns = columnsOf(screen);
  const parts: string[] = [];
  if (shown === 'always' || (shown === 'short' && summary.images <= SHORT_ROWS))
    parts.push(table.format(columns));
  if (summed) parts.push(summary.format(columns));
  screen.write(parts.filter((part) => part !== '').join('\n'));
  for (const warning of await producer.runs.warnings(run)) say(`Warning: ${printable(warning)}`);
  if (unreadable.size > 0) {
    const named = [...unreadable].slice(0, NAMED_MAX).map(printable).join(', ');
    say(
      `Warning: what is stored for ${unreadable.size} images is no row (${named}): clipfleet audit ${run} removes it.`,
    );
  }
  return failed;
}

/** What `label` reads are files of this machine, by their own paths. */
async function openOutput(
  context: Context,
  run: ExportedRun,
  output: string,
): Promise<{ output: RowOutput; places: boolean }> {
  const format = formatOfOutput(output);
  const vectors = await vectorsFor(format, await context.producer.describe(run.run));
  const rows = await openRowOutput(output, { ...run, ...(vectors && { vectors }) }, format);
  return { output: vectors ? withVectors(rows, vectors) : rows, places: vectors !== undefined };
}
