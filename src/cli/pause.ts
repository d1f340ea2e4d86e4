import type { Config } from '../shared/config.ts';
import { accountText } from './accountText.ts';
import { createCommand } from './commandOptions.ts';
import { contextOptions, withContext } from './context.ts';
import { exitCodes } from './follow.ts';

/** The failure budget a run is opened with. */
export function budgetOf({ maxFailureRate }: Config<'maxFailureRate'>): { maxFailureRate?: number } {
  return maxFailureRate === undefined ? {} : { maxFailureRate };
}

export const pauseCommand = createCommand({
  name: 'pause',
  arguments: '<run>',
  summary: 'Let workers leave a run alone until it is resumed.',
  examples: ['clipfleet pause nightly', 'clipfleet resume nightly'],
  options: contextOptions,
  run: ([run], config) =>
    withContext(config, async ({ producer }) => {
      await producer.control.pause(run!, 'by hand');
      process.stdout.write(`paused; ${accountText(await producer.progress(run!))}\n`);
      return exitCodes.classified;
    }),
});

export const resumeCommand = createCommand({
  name: 'resume',
  arguments: '<run>',
  summary: 'Let workers go on with a run that was paused.',
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
