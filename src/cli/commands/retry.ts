import type { Settled } from '../../producer/runs/chunkSender.ts';
import { createCommand } from '../setup/commandOptions.ts';
import { contextOptions, withContext } from '../setup/context.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import { saySettled } from '../terminal/settledLines.ts';

/** What becomes of the images of chunks that are taken back. */
const THEN =
  'those that failed are tried again; the others come when the run is continued with its source and --run';

export const retryCommand = createCommand({
  examples: ['clipfleet retry nightly', 'clipfleet retry nightly --code FETCH_TIMEOUT --code FETCH_FAILED'],
  options: ['code', 'chunkSize', 'highWater', 'attempts', ...contextOptions] as const,
  run: ([run], { code, ...config }) =>
    withContext(config, async ({ producer }) => {
      const { chunkSize, highWater, attempts } = config;
      const onSettled = (settled: Settled) => saySettled(settled, THEN);
      const how = { chunkSize, highWater, attempts, onSettled };
      const added = await producer.retry(run!, { ...(code && { codes: code }), ...how });
      process.stdout.write(`${added} failed images added once more\n`);
      return exitCodes.classified;
    }),
});
