import { createCommand } from '../setup/commandOptions.ts';
import { contextOptions, withContext } from '../setup/context.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import { say } from '../terminal/screen.ts';

export const rmCommand = createCommand({
  examples: ['clipfleet rm 20261123-145500-k3x9q2', 'clipfleet cancel nightly && clipfleet rm nightly'],
  options: contextOptions,
  run: ([run], config) =>
    withContext(config, async ({ producer }) => {
      const vectors = await producer.remove(run!);
      process.stdout.write(`removed ${run}\n`);
      if (vectors !== undefined) say(`Its vectors stay: ${vectors}`);
      return exitCodes.classified;
    }),
});
