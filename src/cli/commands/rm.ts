import { createCommand } from '../setup/commandOptions.ts';
import { contextOptions, withContext } from '../setup/context.ts';
import { exitCodes } from '../setup/exitCodes.ts';

export const rmCommand = createCommand({
  examples: ['clipfleet rm 20261123-145500-k3x9q2', 'clipfleet cancel nightly && clipfleet rm nightly'],
  options: contextOptions,
  run: ([run], config) =>
    withContext(config, async ({ producer }) => {
      await producer.remove(run!);
      process.stdout.write(`removed ${run}\n`);
      return exitCodes.classified;
    }),
});
