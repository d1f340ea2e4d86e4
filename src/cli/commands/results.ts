import { checkOutput } from '../../results/exports/outputFile.ts';
import { createCommand } from '../setup/commandOptions.ts';
import { contextOptions, withContext } from '../setup/context.ts';
import { decisionNames } from '../setup/decisions.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import { shownFormat } from '../setup/shownFormat.ts';
import { printRows } from '../terminal/printRows.ts';
import { say } from '../terminal/screen.ts';

export const resultsCommand = createCommand({
  examples: [
    'clipfleet results 20261123-145500-k3x9q2',
    'clipfleet results nightly --format jsonl > rows.jsonl',
    'clipfleet results nightly --output rows.jsonl',
    'clipfleet results nightly --accept 0.8 --margin 0.2 --decision review',
  ],
  options: ['format', 'output', 'force', ...decisionNames, ...contextOptions] as const,
  async run([run], config) {
    const format = shownFormat(config);
    await checkOutput(config.output ?? '-', { inputs: [], force: config.force });
    return withContext(config, async (context) => {
      const { ended, done, expected } = await context.producer.progress(run!);
      const failed = await printRows(
        context,
        run!,
        format === 'jsonl'
          ? { table: 'never', summary: false, output: config.output ?? '-', decide: config }
          : { table: 'always', summary: true, output: config.output, decide: config },
      );
      if (!ended) say(`Not complete: ${done} of ${expected} images have their row so far.`);
      return failed > 0 ? exitCodes.failed : exitCodes.classified;
    });
  },
});
