import { setTimeout as delay } from 'node:timers/promises';
import { listModels } from '../../shared/fleet/models.ts';
import type { ServingWorker } from '../../shared/fleet/servingWorkers.ts';
import { keysUnder } from '../../shared/redis/keys.ts';
import { createCommand } from '../setup/commandOptions.ts';
import { type Context, contextOptions, mayHaveRuns, withContext } from '../setup/context.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import { shownFormat } from '../setup/shownFormat.ts';
import { formatFleet } from '../terminal/fleetTable.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { columnsOf } from '../terminal/screen.ts';

/** Workers say what they do every ten seconds, where nobody says otherwise. */
const LOOK_MS = 2_000;

export const workersCommand = createCommand({
  examples: [
    'clipfleet workers',
    'clipfleet workers --watch',
    "clipfleet workers --format jsonl | jq '{host, pid, model, lastError}'",
  ],
  options: ['format', 'watch', 'graceMs', ...contextOptions] as const,
  async run(_, config) {
    const format = shownFormat(config);
    if (!mayHaveRuns(config)) {
      if (format === 'table') process.stdout.write(`${formatFleet([], Date.now())}\n`);
      return exitCodes.classified;
    }
    return withContext(config, async (context) => {
      if (!config.watch) {
        show(await readFleet(context), format);
        return exitCodes.classified;
      }
      const { signal, stop } = onInterrupt('leaving.', config);
      while (!signal.aborted) {
        const fleet = await readFleet(context);
        // A table takes the place of the one before.
        if (format === 'table' && process.stdout.isTTY) process.stdout.write('\u001b[H\u001b[2J');
        show(fleet, format);
        await delay(LOOK_MS, undefined, { signal }).catch(() => {});
      }
      stop();
      return exitCodes.classified;
    });
  },
});

async function readFleet({ redis, prefix }: Context): Promise<ServingWorker[]> {
  return (await listModels(redis, keysUnder(prefix))).flatMap(({ workers }) => workers);
}

function show(fleet: readonly ServingWorker[], format: 'table' | 'jsonl'): void {
  const shown =
    format === 'jsonl'
      ? fleet.map((worker) => `${JSON.stringify(worker)}\n`).join('')
      : `${formatFleet(fleet, Date.now(), columnsOf(process.stdout))}\n`;
  process.stdout.write(shown);
}
