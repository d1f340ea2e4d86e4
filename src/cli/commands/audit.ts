import { isDeepStrictEqual } from 'node:util';
import type { RowCounts } from '../../shared/rows/resultsStore.ts';
import { createCommand } from '../setup/commandOptions.ts';
import { contextOptions, withContext } from '../setup/context.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import { shownFormat } from '../setup/shownFormat.ts';
import { accountText } from '../terminal/accountText.ts';
import { printable } from '../terminal/printable.ts';
import { settledLines } from '../terminal/settledLines.ts';

export const auditCommand = createCommand({
  examples: ['clipfleet audit nightly', 'clipfleet audit nightly --format jsonl'],
  options: ['format', ...contextOptions] as const,
  run: ([run], config) =>
    withContext(config, async ({ producer }) => {
      const format = shownFormat(config);
      const audit = await producer.audit(run!);
      if (format === 'jsonl') {
        process.stdout.write(`${JSON.stringify(audit)}\n`);
        return exitCodes.classified;
      }
      const { stored, counted, recounted, unreadable, progress } = audit;
      const lines = [accountText(progress)];
      if (isDeepStrictEqual(stored, counted)) {
        lines.push(`rows: ${rowsText(counted)}, as counted`);
      } else {
        const mended = recounted
          ? 'put right'
          : 'rows are still to come, run audit again when they are there';
        lines.push(`rows: ${rowsText(counted)}; counted as ${rowsText(stored)}: ${mended}`);
      }
      if (progress.duplicates > 0) {
        lines.push(
          `${progress.duplicates} images came twice, or their rows are gone: those get one when the source is added again with --run`,
        );
      }
      if (unreadable.length > 0) {
        lines.push(
          `${unreadable.length} rows that are none, of ${unreadable.slice(0, 10).join(', ')}: removed where no row is to come`,
        );
      }
      lines.push(...settledLines(audit, 'continue the run with its source and --run'));
      process.stdout.write(`${lines.map(printable).join('\n')}\n`);
      return exitCodes.classified;
    }),
});

function rowsText({ classified, failures }: RowCounts): string {
  const failed = Object.entries(failures).map(([code, rows]) => `${rows} ${code}`);
  return [`${classified} classified`, ...failed].join(', ');
}
