import stringWidth from 'string-width';
import { type ServingWorker, stages } from '../../shared/fleet/servingWorkers.ts';
import { alignColumns, fitColumns, printable } from './printable.ts';

/** What holds up the worker that does the most; `idle` where none works, `none` where there is none. */
export function bottleneckOf(workers: readonly ServingWorker[]): string {
  const busy = workers.filter(({ bottleneck }) => bottleneck !== 'idle');
  const [busiest] = busy.toSorted((a, b) => b.imagesPerSecond - a.imagesPerSecond);
  return busiest?.bottleneck ?? (workers.length > 0 ? 'idle' : 'none');
}

/**
 * The workers of the run's model, those without work too; stages as the time an image spends in each, in a table of their
 * own where the terminal is too narrow for one.
 */
export function formatWorkers(
  workers: readonly ServingWorker[],
  imagesPerSecond: number,
  columns?: number,
): string {
  if (workers.length === 0) return 'No worker serves this model now.';
  const count = workers.length === 1 ? '1 worker' : `${workers.length} workers`;
  const names = ['worker', ...workers.map(({ host, pid }) => printable(`${host}:${pid}`))];
  const work = [
    ['device', 'images/s', 'batch fill', 'bottleneck'],
    ...workers.map(({ device, imagesPerSecond: rate, batches, fill, bottleneck }) => [
      device,
      rate.toFixed(1),
      batches > 0 ? `${(100 * fill).toFixed(0)} %` : '-',
      bottleneck,
    ]),
  ];
  const times = [
    stages.map((of) => `${of} ms`),
    ...workers.map((worker) =>
      stages.map((of) => (worker.stages[of].images > 0 ? worker.stages[of].meanMs.toFixed(1) : '-')),
    ),
  ];
  const sum = [count, '', imagesPerSecond.toFixed(1)];
  const named = (cells: readonly string[][]) => cells.map((row, i) => [names[i]!, ...row]);
  const whole = named(work.map((row, i) => [...row, ...times[i]!]));
  const one = alignColumns([...whole, sum]);
  if (columns === undefined || one.split('\n').every((line) => stringWidth(line) <= columns)) return one;
  const shrink = [0];
  const first = fitColumns([...named(work), [...sum, '', '']], shrink, columns);
  return `${first}\n\n${fitColumns(named(times), shrink, columns)}`;
}
