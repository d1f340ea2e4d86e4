import { unknownRun } from '../shared/runErrors.ts';
import { createCommand } from './commandOptions.ts';
import { contextOptions, openContext } from './context.ts';
import { exitCodes } from './follow.ts';
import { alignColumns, printable } from './printable.ts';

export const statusCommand = createCommand({
  name: 'status',
  arguments: '<run>',
  summary: 'Say how far a run is.',
  examples: [
    'clipfleet status 20261123-145500-k3x9q2',
    'clipfleet status nightly --format jsonl | jq .pending',
  ],
  options: ['format', ...contextOptions] as const,
  async run([id], config) {
    const { producer, close } = await openContext(config);
    try {
      const run = await producer.runs.get(id!);
      if (!run) throw unknownRun(id!);
      const [counts, warnings] = await Promise.all([producer.store.counts(id!), producer.runs.warnings(id!)]);
      const { chunks: _, ...record } = run;
      const status = { ...record, ...counts, warnings };
      if (config.format === 'jsonl') process.stdout.write(`${JSON.stringify(status)}\n`);
      else process.stdout.write(`${formatStatus(status)}\n`);
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
