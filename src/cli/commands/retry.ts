import { createCommand } from '../setup/commandOptions.ts';
import { contextOptions, withContext } from '../setup/context.ts';
import { exitCodes } from '../setup/exitCodes.ts';

export const retryCommand = createCommand({
  examples: ['clipfleet retry nightly', 'clipfleet retry nightly --code FETCH_TIMEOUT --code FETCH_FAILED'],
  options: ['code', 'chunkSize', 'highWater', 'attempts', ...contextOptions] as const,
  run: ([run], { code, ...config }) =>
    withContext(config, async ({ producer }) => {
      const { chunkSize, highWater, attempts } = config;
      const how = { chunkSize, highWater, attempts };
      const added = await producer.retry(run!, { ...(code && { codes: code }), ...how });
      process.stdout.write(`${added} failed images added once more\n`);
      return exitCodes.classified;
    }),
});
