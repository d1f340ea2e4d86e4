import { type ServingWorker, stages } from '../../shared/fleet/servingWorkers.ts';
import { alignColumns, printable } from './printable.ts';

/** What holds up the worker that does the most; `idle` where none works, `none` where there is none. */
export function bottleneckOf(workers: readonly ServingWorker[]): string {
  const busy = workers.filter(({ bottleneck }) => bottleneck !== 'idle');
  const [busiest] = busy.toSorted((a, b) => b.imagesPerSecond - a.imagesPerSecond);
  return busiest?.bottleneck ?? (workers.length > 0 ? 'idle' : 'none');
}

/** The workers of the run's model, those without work too; stages as the time an image spends in each. */
export function formatWorkers(workers: readonly ServingWorker[], imagesPerSecond: number): string {
  if (workers.length === 0) return 'No worker serves this model now.';
  const head = [
    'worker',
    'device',
    'images/s',
    'batch fill',
    'bottleneck',
    ...stages.map((of) => `${of} ms`),
  ];
  const rows = workers.map(({ host, pid, device, batches, fill, bottleneck, ...worker }) => [
    printable(`${host}:${pid}`),
    device,
    worker.imagesPerSecond.toFixed(1),
    batches > 0 ? `${(100 * fill).toFixed(0)} %` : '-',
    bottleneck,
    ...stages.map((of) => (worker.stages[of].images > 0 ? worker.stages[of].meanMs.toFixed(1) : '-')),
  ]);
  const count = workers.length === 1 ? '1 worker' : `${workers.length} workers`;
  return alignColumns([head, ...rows, [count, '', imagesPerSecond.toFixed(1)]]);
}
