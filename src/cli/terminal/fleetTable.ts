import type { ServingWorker } from '../../shared/fleet/servingWorkers.ts';
import { fitColumns, printable } from './printable.ts';

/** From so many columns on, what a worker did last fits beside what it does. */
const WIDE_COLUMNS = 140;

/**
 * The workers of all models, one a line; in a narrow terminal what each did last is a table of its own.
 *
 * @param now milliseconds since 1970, for times in words
 * @param columns of the terminal; undefined for lines of any length
 */
export function formatFleet(workers: readonly ServingWorker[], now: number, columns?: number): string {
  if (workers.length === 0) return 'No worker is there now.';
  const name = ({ host, pid }: ServingWorker) => printable(`${host}:${pid}`);
  const work = [
    ['worker', 'device', 'model', 'for', 'images/s', 'in hand', 'doing'],
    ...workers.map((worker) => [
      name(worker),
      ...[worker.device, worker.model, ageText(worker.startedAt, now)],
      ...[worker.imagesPerSecond.toFixed(1), String(worker.inHand ?? '-'), doingText(worker)],
    ]),
  ];
  const last = [
    ['last batch', 'last error'],
    ...workers.map(({ lastBatch, lastError }) => [
      lastBatch ? `${lastBatch.images}, ${ageText(lastBatch.at, now)} ago` : '-',
      lastError
        ? `${ageText(lastError.at, now)} ago: ${[lastError.code, lastError.message].filter(Boolean).join(' ')}`
        : '-',
    ]),
  ].map((cells) => cells.map(printable));
  const rate = workers.reduce((sum, { imagesPerSecond }) => sum + imagesPerSecond, 0);
  const count = workers.length === 1 ? '1 worker' : `${workers.length} workers`;
  const sum = [count, '', '', '', rate.toFixed(1)];
  if (columns === undefined || columns >= WIDE_COLUMNS) {
    const empty = ['', '', '', ''];
    const rows = [...work.map((cells, i) => [...cells, ...last[i]!]), [...sum, ...empty]];
    return fitColumns(rows, [8, 2, 0], columns);
  }
  const named = last.map((cells, i) => [work[i]![0]!, ...cells]);
  return `${fitColumns([...work, [...sum, '', '']], [2, 0], columns)}\n\n${fitColumns(named, [2, 0], columns)}`;
}

/** What holds it up, where it works. */
function doingText({ images, inHand, bottleneck }: ServingWorker): string {
  if (images === 0 && !inHand) return 'waits for jobs';
  return bottleneck === 'idle' ? 'works' : bottleneck;
}

/** How long ago, in one unit; `-` where it is not known. */
function ageText(at: string | undefined, now: number): string {
  if (at === undefined) return '-';
  const seconds = Math.max(0, Math.round((now - Date.parse(at)) / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}
