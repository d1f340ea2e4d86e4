import { readActionLog, writeActionLog } from '../../results/actions/actionLog.ts';
import { tagFiles, undoTags } from '../../results/tag/tagFiles.ts';
import { createTagPlan, type TagRules, type TagStep } from '../../results/tag/tagPlan.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import type { LabelSet } from '../../shared/labels/labelSet.ts';
import type { Config } from '../../shared/options/config.ts';
import { parseRoots } from '../../shared/refs/roots.ts';
import { noLabelSet } from '../../shared/rows/row.ts';
import { createCommand } from '../setup/commandOptions.ts';
import { type Context, contextOptions, withContext } from '../setup/context.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import { onInterrupt, unlessInterrupted } from '../terminal/interrupt.ts';
import { printable } from '../terminal/printable.ts';
import { createFileProgress } from '../terminal/progress/fileProgress.ts';
import { say } from '../terminal/screen.ts';
import { actionLogPath } from './actionLogPath.ts';
import { counted, leftText, shownPath } from './sortText.ts';
import { undoLog } from './undoLog.ts';

const optionNames = [
  'write',
  'sidecar',
  'minScore',
  'dryRun',
  'log',
  'undo',
  'root',
  'graceMs',
  ...contextOptions,
] as const;

type TagConfig = Config<(typeof optionNames)[number]>;

export const tagCommand = createCommand({
  examples: [
    'clipfleet tag nightly --write xmp --min-score 0.8 --dry-run',
    'clipfleet tag nightly --write xmp --min-score 0.8 --log tags.jsonl',
    'clipfleet tag nightly --write txt --min-score 0.8',
    'clipfleet tag --undo tags.jsonl',
  ],
  options: optionNames,
  oneOf: ['write', 'undo'],
  async run([run], config) {
    if (config.undo !== undefined) return undoLog(config.undo, 'tag', undoTags, config);
    if (run === undefined) throw usage('Expected the run whose labels are written, got none.');
    return withContext(config, (context) => tagRun(context, run, config));
  },
});

async function tagRun({ producer }: Context, run: string, config: TagConfig): Promise<number> {
  if ((await producer.describe(run)).labelSet === noLabelSet)
    throw usage(`Run '${run}' has vectors and no labels: clipfleet relabel gives it some.`);
  const plan = createTagPlan({
    format: config.write!,
    sidecar: config.sidecar,
    accepted: acceptedBy(await producer.labelSetOf(run), config.minScore),
    roots: parseRoots(config.root ?? [], process.cwd()),
  });
  const text = () =>
    [
      `Plan: write ${plan.written()} ${config.write} ${plan.written() === 1 ? 'sidecar' : 'sidecars'}.`,
      ...(plan.inPlace() > 0 ? [`${plan.inPlace()} have their labels already.`] : []),
      ...plan.leftOut(),
    ].join('\n');
  const interrupt = onInterrupt('ending after this file.', config);
  const { signal } = interrupt;
  try {
    const steps = plan.steps(producer.rows(run, { signal }));
    if (config.dryRun) return await printPlan(steps, signal, text);
    const path = actionLogPath('tag', run, config);
    const planned = await unlessInterrupted(signal, () =>
      writeActionLog(path, { action: 'tag', run }, steps),
    );
    if (!planned) return exitCodes.interrupted;
    say(text());
    if (plan.written() === 0) return exitCodes.classified;
    say(`To undo it: clipfleet tag --undo ${shownPath(path)}`);
    return await carryOut(path, plan.written(), signal);
  } finally {
    interrupt.stop();
  }
}

/**
 * The labels of a row that reach their threshold: that of the label set, which rows keep, or the one that is said.
 *
 * @throws USAGE where there is none at all: a picture would be called by whatever label is the least wrong
 */
function acceptedBy(set: LabelSet, minScore: number | undefined): TagRules['accepted'] {
  const judged = set.labels.filter(({ threshold }) => (threshold ?? set.threshold ?? minScore) !== undefined);
  if (judged.length === 0)
    throw usage(
      'Expected thresholds, got a label set without any: say from which score on a label is true with --min-score.',
    );
  const names = new Set(judged.map(({ label }) => label));
  return (row) => {
    if (row.status !== 'classified') return [];
    const answers = set.scoreFunction === 'sigmoid' ? row.predictions : row.predictions.slice(0, 1);
    const least = Math.fround(minScore ?? Number.NEGATIVE_INFINITY);
    return answers.filter(({ label, score }) => names.has(label) && score >= least).map(({ label }) => label);
  };
}

async function printPlan(
  steps: AsyncIterable<TagStep>,
  signal: AbortSignal,
  text: () => string,
): Promise<number> {
  const ended = await unlessInterrupted(signal, async () => {
    for await (const { path, labels, before } of steps)
      process.stdout.write(
        `${shownPath(path)} ${before === undefined ? '=' : '+'} ${printable(labels.join(', '))}\n`,
      );
  });
  if (!ended) return exitCodes.interrupted;
  say(`${text()}\nNothing was changed.`);
  return exitCodes.classified;
}

async function carryOut(path: string, files: number, signal: AbortSignal): Promise<number> {
  const log = await readActionLog<TagStep>(path, 'tag');
  const progress = createFileProgress(files);
  let code: number = exitCodes.classified;
  const ended = await unlessInterrupted(signal, async () => {
    const tagged = await tagFiles(log, { signal, onFile: progress.update });
    progress.stop();
    say([`${counted(tagged.files)} written.`, ...leftText(tagged.left)].join('\n'));
    if (tagged.left.size > 0) code = exitCodes.failed;
  }).finally(progress.stop);
  return ended ? code : exitCodes.interrupted;
}

function usage(message: string): ClipfleetError {
  return new ClipfleetError('USAGE', message);
}
