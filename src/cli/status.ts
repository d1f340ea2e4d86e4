import { keysUnder } from '../shared/keys.ts';
import { unknownRun } from '../shared/runErrors.ts';
import { listServing, type ServingWorker, stages } from '../shared/servingWorkers.ts';
import { createCommand } from './commandOptions.ts';
import { contextOptions, openContext } from './context.ts';
import { exitCodes } from './follow.ts';
import { alignColumns, printable } from './printable.ts';

export const statusCommand = createCommand({
  name: 'status',
  arguments: '<run>',
  summary: 'Say how far a run is, and what the workers of its model do.',
  examples: [
    'clipfleet status 20261123-145500-k3x9q2',
    'clipfleet status nightly --format jsonl | jq .pending',
    "clipfleet status nightly --format jsonl | jq '.workers[] | {host, pid, bottleneck}'",
  ],
  options: ['format', ...contextOptions] as const,
  async run([id], config) {
    const { producer, redis, prefix, close } = await openContext(config);
    try {
      const run = await producer.runs.get(id!);
      if (!run) throw unknownRun(id!);
      const [counts, warnings, workers] = await Promise.all([
        producer.store.counts(id!),
        producer.runs.warnings(id!),
        listServing(redis, keysUnder(prefix), run.model),
      ]);
      const { chunks: _, ...record } = run;
      const status = { ...record, ...counts, warnings };
      const imagesPerSecond = workers.reduce((sum, worker) => sum + worker.imagesPerSecond, 0);
      if (config.format === 'jsonl')
        process.stdout.write(`${JSON.stringify({ ...status, imagesPerSecond, workers })}\n`);
      else process.stdout.write(`${formatStatus(status)}\n\n${formatWorkers(workers, imagesPerSecond)}\n`);
      return exitCodes.classified;
    } finally {
      await close();
    }
  },
});

function formatStatus(status: Record<string, string | number | string[]>): string {
  const lines = Object.entries(status).flatMap(([name, value]) =>
    Array.isArray(value) ? value.map((line) => ['warning', line]) : [[name, String(value)]],
  );
  return alignColumns(lines.map((cells) => cells.map(printable)));
}

/** The workers of the run's model, those without work too; stages as the time an image spends in each. */
function formatWorkers(workers: readonly ServingWorker[], imagesPerSecond: number): string {
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
