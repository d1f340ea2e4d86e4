import { createCommand } from '../setup/commandOptions.ts';
import { contextOptions, withContext } from '../setup/context.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import { alignColumns, printable } from '../terminal/printable.ts';

export const runsCommand = createCommand({
  examples: ['clipfleet runs', 'clipfleet runs --format jsonl | jq \'select(.state == "open")\''],
  options: ['format', ...contextOptions] as const,
  run: (_, config) =>
    withContext(config, async ({ producer }) => {
      const runs = await producer.list();
      if (config.format === 'jsonl') {
        for (const run of runs) process.stdout.write(`${JSON.stringify(run)}\n`);
        return exitCodes.classified;
      }
      const head = ['run', 'state', 'images', 'classified', 'failed', 'left', 'model'];
      const rows = runs.map((each) => [
        each.run,
        each.paused === undefined ? each.state : 'paused',
        ...[each.expected, each.classified, each.failed, each.waiting + each.active].map(String),
        each.model,
      ]);
      if (rows.length === 0) process.stderr.write('No runs.\n');
      else process.stdout.write(`${alignColumns([head, ...rows].map((cells) => cells.map(printable)))}\n`);
      return exitCodes.classified;
    }),
});
