import { ClipfleetError } from '../../shared/errors.ts';
import { type LabelSet, labelSetId } from '../../shared/labels/labelSet.ts';
import { readLabelSet } from '../../shared/labels/storedLabelSet.ts';
import type { Config } from '../../shared/options/config.ts';
import { keysUnder } from '../../shared/redis/keys.ts';
import { noLabelSet } from '../../shared/rows/row.ts';
import { checkStore } from '../../shared/runs/runErrors.ts';
import type { Context } from './context.ts';
import { type labelOptions, labelSetOf } from './labels.ts';

const LABELS_NAMED = 5;

/**
 * The label set for a run: as the user described it, and where an earlier run is continued, with that run's number of
 * predictions unless a flag gives one.
 *
 * @throws RUN_MISMATCH with what differs, where the run has another label set, STORE_MISMATCH
 */
export async function labelSetForRun(
  config: Config<(typeof labelOptions)[number]> & { run?: string | undefined },
  { redis, prefix, producer }: Context,
): Promise<LabelSet> {
  const record = config.run === undefined ? undefined : await producer.runs.get(config.run);
  if (!record) return labelSetOf(config);
  checkStore(record, producer.store);
  if (record.labelSet === noLabelSet) {
    const message = `Run '${config.run}' is for vectors alone: clipfleet relabel ${config.run} labels its images, in another run.`;
    throw new ClipfleetError('RUN_MISMATCH', message);
  }
  const stored = await readLabelSet(redis, keysUnder(prefix), record.labelSet);
  const given = await labelSetOf(config, stored.topK ?? 'all');
  if (labelSetId(given) === record.labelSet) return given;
  throw new ClipfleetError(
    'RUN_MISMATCH',
    `Run '${config.run}' has another label set: ${differences(stored, given)}. Give the same to continue it, or another --run to start anew.`,
  );
}

/** What differs between a run's label set and the one that was given, in a line. */
export function differences(stored: LabelSet, given: LabelSet): string {
  const namesOf = ({ labels }: LabelSet) => labels.map(({ label }) => label);
  const missing = without(namesOf(stored), namesOf(given));
  const added = without(namesOf(given), namesOf(stored));
  const parts = [
    ...(missing.length > 0 ? [`it also has ${named(missing)}`] : []),
    ...(added.length > 0 ? [`it lacks ${named(added)}`] : []),
  ];
  if (parts.length > 0) return parts.join(', and ');
  const settings = ['templates', 'scoreFunction', 'temperature', 'topK', 'threshold', 'outputs'] as const;
  const other = settings.filter((name) => JSON.stringify(stored[name]) !== JSON.stringify(given[name]));
  if (other.length > 0)
    return other
      .map((name) => `its ${name} is ${shown(stored[name])}, here ${shown(given[name])}`)
      .join(', ');
  const labels = stored.labels.filter(
    (label, i) => JSON.stringify(label) !== JSON.stringify(given.labels[i]),
  );
  return `other prompts, thresholds or another order of ${named(labels.map(({ label }) => label))}`;
}

function without(labels: readonly string[], others: readonly string[]): string[] {
  const set = new Set(others);
  return labels.filter((label) => !set.has(label));
}

function named(labels: readonly string[]): string {
  const first = labels.slice(0, LABELS_NAMED).map((label) => JSON.stringify(label));
  const more = labels.length > LABELS_NAMED ? ` and ${labels.length - LABELS_NAMED} more` : '';
  return `${first.join(', ')}${more}`;
}

function shown(value: unknown): string {
  return value === undefined ? 'not set' : JSON.stringify(value).slice(0, 120);
}
