import type { ListedRun } from '../../producer/runs/manageRuns.ts';
import { fitColumns, printable } from './printable.ts';

/** From so many columns on, all there is to say of a run fits into a line. */
const WIDE_COLUMNS = 110;

/**
 * The runs, one a line; a narrow terminal gets no model, no failed and no year.
 *
 * @param labelsOf the names of a label set's labels, empty where it is not known any more
 * @param columns of the terminal; undefined for lines of any length
 */
export function formatRuns(
  runs: readonly ListedRun[],
  labelsOf: (labelSet: string) => readonly string[],
  columns?: number,
): string {
  const isWide = columns === undefined || columns >= WIDE_COLUMNS;
  const wideOnly = (...cells: string[]) => (isWide ? cells : []);
  const head = [
    ...['started', 'run', 'state', 'images', ...wideOnly('failed', 'left', 'Redis')],
    ...['labels', 'source'],
  ];
  const rows = runs.map((each) => [
    startedAt(each.createdAt).slice(isWide ? 0 : 'YYYY-'.length),
    each.run,
    each.paused === undefined ? each.state : 'paused',
    isWide ? String(each.expected) : `${each.done}/${each.expected}`,
    ...wideOnly(numberText(each.failed), leftText(each), bytesText(each.redisBytes)),
    labelsText(labelsOf(each.labelSet)),
    each.source ?? '-',
    ...wideOnly(each.model),
  ]);
  const all = [[...head, ...wideOnly('model')], ...rows].map((cells) => cells.map(printable));
  const labels = head.indexOf('labels');
  return fitColumns(all, [labels, labels + 1, ...(isWide ? [labels + 2] : [])], columns);
}

function leftText({ waiting, active }: ListedRun): string {
  return waiting === undefined || active === undefined ? '-' : String(waiting + active);
}

/** Of a run whose rows are elsewhere not all is known. */
function numberText(number: number | undefined): string {
  return number === undefined ? '-' : String(number);
}

/** An estimate: two digits say what it is worth. */
function bytesText(bytes: number | undefined): string {
  if (bytes === undefined) return '-';
  const [unit, name] = bytes < 1e6 ? [1e3, 'kB'] : bytes < 1e9 ? [1e6, 'MB'] : [1e9, 'GB'];
  return `~${Number((bytes / unit).toPrecision(2))} ${name}`;
}

/** In local time, to the minute. */
function startedAt(createdAt: string): string {
  const at = new Date(createdAt);
  const two = (number: number) => String(number).padStart(2, '0');
  const date = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-');
  return `${date} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

function labelsText(labels: readonly string[]): string {
  if (labels.length === 0) return '-';
  return `${labels.length}: ${labels.slice(0, 3).join(', ')}${labels.length > 3 ? ', …' : ''}`;
}
