import { createCommand } from '../setup/commandOptions.ts';
import { contextOptions, withContext } from '../setup/context.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import { accountText } from '../terminal/accountText.ts';

export const cancelCommand = createCommand({
  examples: ['clipfleet cancel 20261123-145500-k3x9q2'],
  options: contextOptions,
  run: ([run], config) =>
    withContext(config, async ({ producer }) => {
      const progress = await producer.cancel(run!);
      process.stdout.write(`${progress.state}; ${accountText(progress)}\n`);
      return exitCodes.classified;
    }),
});
