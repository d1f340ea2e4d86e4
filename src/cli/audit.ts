import { sameCounts } from '../producer/auditRun.ts';
import { accountText } from './accountText.ts';
import { createCommand } from './commandOptions.ts';
import { contextOptions, withContext } from './context.ts';
import { exitCodes } from './follow.ts';
import { printable } from './printable.ts';

export const auditCommand = createCommand({
  name: 'audit',
  arguments: '<run>',
  summary: 'Recount a run from its rows, say what differs from its counts, and put it right.',
  examples: ['clipfleet audit nightly', 'clipfleet audit nightly --format jsonl'],
  options: ['format', ...contextOptions] as const,
  run: ([run], config) =>
    withContext(config, async ({ producer }) => {
      const audit = await producer.audit(run!);
      if (config.format === 'jsonl') {
        process.stdout.write(`${JSON.stringify(audit)}\n`);
        return exitCodes.classified;
      }
      const { stored, counted, recounted, withdrawn, progress } = audit;
      const lines = [accountText(progress)];
      if (sameCounts(stored, counted)) {
        lines.push(`rows: ${counted.classified} classified and ${counted.failed} failed, as counted`);
      } else {
        lines.push(
          `rows: ${counted.classified} classified and ${counted.failed} failed, ` +
            `counted as ${stored.classified} and ${stored.failed}: ` +
            (recounted ? 'put right' : 'the run is being worked on, run audit again when it is not'),
        );
      }
      if (withdrawn.length > 0) {
        const named = withdrawn.slice(0, 10).join(', ');
        lines.push(
          `${withdrawn.length} chunks without a job taken back (${named}): continue the run with its source and --run`,
        );
      }
      process.stdout.write(`${lines.map(printable).join('\n')}\n`);
      return exitCodes.classified;
    }),
});
