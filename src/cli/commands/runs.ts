import { ClipfleetError } from '../../shared/errors.ts';
import { readLabelSet } from '../../shared/labels/storedLabelSet.ts';
import { keysUnder } from '../../shared/redis/keys.ts';
import { createCommand } from '../setup/commandOptions.ts';
import { type Context, contextOptions, mayHaveRuns, withContext } from '../setup/context.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import { shownFormat } from '../setup/shownFormat.ts';
import { printable } from '../terminal/printable.ts';
import { formatRuns } from '../terminal/runsTable.ts';
import { columnsOf, say } from '../terminal/screen.ts';

export const runsCommand = createCommand({
  examples: ['clipfleet runs', 'clipfleet runs --format jsonl | jq \'select(.state == "open")\''],
  options: ['format', ...contextOptions] as const,
  async run(_, config) {
    const format = shownFormat(config);
    if (!mayHaveRuns(config)) {
      if (format === 'table') say('No runs.');
      return exitCodes.classified;
    }
    return withContext(config, async (context) => {
      const runs = await context.producer.list({
        held: true,
        onUnreadable: ({ code, message }) => say(`${code}: ${printable(message)}`),
      });
      if (format === 'jsonl') {
        for (const run of runs) process.stdout.write(`${JSON.stringify(run)}\n`);
        return exitCodes.classified;
      }
      if (runs.length === 0) {
        say('No runs.');
        return exitCodes.classified;
      }
      const labels = await labelsOf(context, new Set(runs.map(({ labelSet }) => labelSet)));
      const shown = formatRuns(runs, (labelSet) => labels.get(labelSet) ?? [], columnsOf(process.stdout));
      process.stdout.write(`${shown}\n`);
      return exitCodes.classified;
    });
  },
});

/** The labels of each set that is still there. */
async function labelsOf(
  { redis, prefix }: Context,
  ids: ReadonlySet<string>,
): Promise<Map<string, string[]>> {
  const labels = new Map<string, string[]>();
  for (const id of ids) {
    const set = await readLabelSet(redis, keysUnder(prefix), id).catch(unlessUnknown);
    if (set)
      labels.set(
        id,
        set.labels.map(({ label }) => label),
      );
  }
  return labels;
}

function unlessUnknown(error: unknown): undefined {
  if (!(error instanceof ClipfleetError)) throw error;
}
