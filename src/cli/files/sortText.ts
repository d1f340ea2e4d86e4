import { relative } from 'node:path';
import type { Tally } from '../../results/actions/tally.ts';
import type { SortPlan } from '../../results/sort/sortPlan.ts';
import type { SortBy } from '../../results/sort/sortStep.ts';
import { shownName } from '../../shared/refs/byteNames.ts';
import { alignColumns, printable } from '../terminal/printable.ts';

const FOLDERS_SHOWN_MAX = 20;

/** A path as short as it can be from here. */
export function shownPath(path: string): string {
  const here = relative(process.cwd(), path);
  return printable(shownName(here !== '' && !here.startsWith('..') ? here : path));
}

/** What a plan would do: how many files into which folder, and what is passed over. */
export function sortPlanText(plan: SortPlan, by: SortBy, otherNames: readonly (readonly string[])[]): string {
  const folders = [...plan.files].sort(([, a], [, b]) => b - a);
  const total = folders.reduce((sum, [, files]) => sum + files, 0);
  const lines = folders
    .slice(0, FOLDERS_SHOWN_MAX)
    .map(([folder, files]) => [`  ${files}`, shownPath(folder)]);
  const more = folders.length - lines.length;
  return [
    `Plan: ${by} ${counted(total)}.`,
    ...(lines.length > 0 ? [alignColumns(lines)] : []),
    ...(more > 0 ? [`  … ${more} more folders`] : []),
    ...otherNames.map(
      ([label, folder]) => `The label ${JSON.stringify(printable(label!))} has the folder ${folder}.`,
    ),
    ...(plan.numbered() > 0
      ? [`${counted(plan.numbered())} with a number behind the name, which is taken.`]
      : []),
    ...(plan.inPlace() > 0 ? [`${counted(plan.inPlace())} in place already.`] : []),
    ...plan.leftOut(),
  ].join('\n');
}

/** `1 file`, `2 files`. */
export function counted(files: number): string {
  return `${files} ${files === 1 ? 'file' : 'files'}`;
}

/** What could not be done, one sentence a cause. */
export function failedText(failed: Tally): string[] {
  return [...failed].map(
    ([code, { count, first }]) => `${counted(count)} not sorted (${code}), the first: ${shownPath(first)}`,
  );
}

/** What an undo left alone, one sentence a reason. */
export function leftText(left: Tally): string[] {
  return [...left].map(
    ([why, { count, first }]) => `Left alone: ${count} ${why}, the first: ${shownPath(first)}`,
  );
}
