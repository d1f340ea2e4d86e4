import { createCommand } from '../setup/commandOptions.ts';
import { contextOptions, withContext } from '../setup/context.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import { accountText } from '../terminal/accountText.ts';

export const pauseCommand = createCommand({
  examples: ['clipfleet pause nightly', 'clipfleet resume nightly'],
  options: contextOptions,
  run: ([run], config) =>
    withContext(config, async ({ producer }) => {
      await producer.describe(run!);
      await producer.control.pause(run!, 'by hand');
      process.stdout.write(`paused; ${accountText(await producer.progress(run!))}\n`);
      return exitCodes.classified;
    }),
});

export const resumeCommand = createCommand({
  examples: ['clipfleet resume nightly', 'clipfleet resume nightly --max-failure-rate 0.5'],
  options: ['maxFailureRate', ...contextOptions] as const,
  run: ([run], config) =>
    withContext(config, async ({ producer }) => {
      if (config.maxFailureRate !== undefined) {
        await producer.control.setMaxFailureRate(run!, config.maxFailureRate);
      }
      await producer.resume(run!);
      process.stdout.write(`resumed; ${accountText(await producer.progress(run!))}\n`);
      return exitCodes.classified;
    }),
});
