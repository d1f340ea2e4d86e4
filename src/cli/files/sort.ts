import { join, resolve } from 'node:path';
import { readActionLog, writeActionLog } from '../../results/actions/actionLog.ts';
import { isWanted } from '../../results/rows/rowFilter.ts';
import { labelFolders } from '../../results/sort/labelFolders.ts';
import { sortFiles } from '../../results/sort/sortFiles.ts';
import { createSortPlan } from '../../results/sort/sortPlan.ts';
import type { SortStep } from '../../results/sort/sortStep.ts';
import { undoSort } from '../../results/sort/undoSort.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import type { Config } from '../../shared/options/config.ts';
import { isInside, parseRoots } from '../../shared/refs/roots.ts';
import { noLabelSet } from '../../shared/rows/row.ts';
import { createCommand } from '../setup/commandOptions.ts';
import { type Context, contextOptions, withContext } from '../setup/context.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import { onInterrupt, unlessInterrupted } from '../terminal/interrupt.ts';
import { createFileProgress } from '../terminal/progress/fileProgress.ts';
import { say } from '../terminal/screen.ts';
import { actionLogPath } from './actionLogPath.ts';
import { counted, failedText, shownPath, sortPlanText } from './sortText.ts';
import { undoLog } from './undoLog.ts';

const optionNames = [
  'into',
  'by',
  'unsure',
  'minScore',
  'dryRun',
  'log',
  'undo',
  'root',
  'graceMs',
  ...contextOptions,
] as const;

type SortConfig = Config<(typeof optionNames)[number]>;

export const sortCommand = createCommand({
  examples: [
    'clipfleet sort nightly --into sorted --dry-run',
    'clipfleet sort nightly --into sorted --min-score 0.8 --unsure sorted/unsure',
    'clipfleet sort nightly --into sorted --by move --log move.jsonl',
    'clipfleet sort --undo move.jsonl',
  ],
  options: optionNames,
  oneOf: ['into', 'undo'],
  async run([run], config) {
    if (config.undo !== undefined) return undoLog(config.undo, 'sort', undoSort, config);
    if (run === undefined) throw usage('Expected the run whose files are sorted, got none.');
    return withContext(config, (context) => sortRun(context, run, config));
  },
});

async function sortRun({ producer }: Context, run: string, config: SortConfig): Promise<number> {
  const { by, minScore } = config;
  const record = await producer.describe(run);
  if (record.labelSet === noLabelSet)
    throw usage(`Run '${run}' has vectors and no labels: clipfleet relabel gives it some.`);
  const labels = (await producer.labelSetOf(run)).labels.map(({ label }) => label);
  const folders = labelFolders(labels);
  const into = resolve(config.into!);
  const unsure = config.unsure === undefined ? undefined : resolve(config.unsure);
  refuseSharedFolder(into, unsure, folders);
  const plan = createSortPlan({
    by,
    into,
    unsure,
    folders,
    roots: parseRoots(config.root ?? [], process.cwd()),
    isSure: (row) => isWanted(row, { minScore }),
  });
  const otherNames = () =>
    [...folders].filter(([label, folder]) => label !== folder && plan.files.has(join(into, folder)));
  const interrupt = onInterrupt('ending after this file.', config);
  const { signal } = interrupt;
  try {
    const steps = plan.steps(producer.rows(run, { signal }));
    if (config.dryRun) return await printPlan(steps, signal, () => sortPlanText(plan, by, otherNames()));
    const log = actionLogPath('sort', run, config);
    const planned = await unlessInterrupted(signal, () =>
      writeActionLog(log, { action: 'sort', run }, steps),
    );
    if (!planned) return exitCodes.interrupted;
    say(sortPlanText(plan, by, otherNames()));
    if (plan.files.size === 0) return exitCodes.classified;
    say(`To undo it: clipfleet sort --undo ${shownPath(log)}`);
    return await carryOut(log, sum(plan.files.values()), signal);
  } finally {
    interrupt.stop();
  }
}

async function printPlan(
  steps: AsyncIterable<SortStep>,
  signal: AbortSignal,
  text: () => string,
): Promise<number> {
  const ended = await unlessInterrupted(signal, async () => {
    for await (const step of steps)
      if ('from' in step) process.stdout.write(`${shownPath(step.from)} -> ${shownPath(step.to)}\n`);
  });
  if (!ended) return exitCodes.interrupted;
  say(`${text()}\nNothing was changed.`);
  return exitCodes.classified;
}

async function carryOut(path: string, files: number, signal: AbortSignal): Promise<number> {
  const log = await readActionLog<SortStep>(path, 'sort');
  const progress = createFileProgress(files);
  let done = 0;
  let code: number = exitCodes.classified;
  const onFile = (looked: number) => {
    done = looked;
    progress.update(looked);
  };
  const ended = await unlessInterrupted(signal, async () => {
    const sorted = await sortFiles(log, { signal, onFile });
    progress.stop();
    say([`${counted(sorted.files)} sorted.`, ...failedText(sorted.failed)].join('\n'));
    if (sorted.failed.size > 0) code = exitCodes.failed;
  }).finally(progress.stop);
  if (ended) return code;
  say(`Ended after ${done} of ${counted(files)}.`);
  return exitCodes.interrupted;
}

function refuseSharedFolder(
  into: string,
  unsure: string | undefined,
  folders: ReadonlyMap<string, string>,
): void {
  if (unsure === undefined) return;
  for (const [label, folder] of folders)
    if (isInside(join(into, folder), unsure))
      throw usage(`Expected another folder for --unsure than that of the label '${label}', got ${unsure}.`);
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}

function usage(message: string): ClipfleetError {
  return new ClipfleetError('USAGE', message);
}
