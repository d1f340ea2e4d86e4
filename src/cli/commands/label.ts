import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { listOptions, openSource } from '../../openSource.ts';
import { createLeftOut, type LeftOut } from '../../producer/images/leftOut.ts';
import { newRunId } from '../../producer/producer.ts';
import { refuseTooLarge } from '../../producer/runs/redisRoom.ts';
import { trustedAddress } from '../../producer/sources/address.ts';
import { checkOutput } from '../../results/exports/outputFile.ts';
import { begin } from '../../shared/begin.ts';
import type { LabelSet } from '../../shared/labels/labelSet.ts';
import type { Config } from '../../shared/options/config.ts';
import type { ImageRef } from '../../shared/refs/imageRef.ts';
import { isHubName, modelOptions } from '../../worker/model/loadModel.ts';
import type { ModelFiles } from '../../worker/model/model.ts';
import { workerOptions } from '../../worker/workerSettings.ts';
import { addChanged, checkChanged } from '../setup/changedFiles.ts';
import { createCommand } from '../setup/commandOptions.ts';
import { type Context, contextOptions, openContext } from '../setup/context.ts';
import { labelSetForRun } from '../setup/continuedRun.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import { budgetOf } from '../setup/failureBudgetFlag.ts';
import { labelOptions, labelSetOf } from '../setup/labels.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import type { SourceAgain } from '../terminal/lostImages.ts';
import { sayNext } from '../terminal/nextSteps.ts';
import { sayLeftOut, waitsSaid, warnOfLikeLabels } from '../terminal/notices.ts';
import { printRows } from '../terminal/printRows.ts';
import { findModelShown, planSessionShown, startModelShown } from '../terminal/progress/modelShown.ts';
import { sayPersistence } from '../terminal/sayPersistence.ts';
import { openPrivateLane, workUntilEnded } from '../workers/privateRun.ts';
import { startPrivateWorker } from '../workers/privateWorker.ts';

const optionNames = [
  ...labelOptions,
  'output',
  'force',
  'table',
  ...listOptions,
  'run',
  'changed',
  'keepEmbeddings',
  ...modelOptions,
  ...workerOptions,
  'chunkSize',
  'highWater',
  'attempts',
  'maxFailureRate',
  'graceMs',
  ...contextOptions,
] as const;

type LabelConfig = Config<(typeof optionNames)[number]>;

export const labelCommand = createCommand({
  examples: [
    'clipfleet label pictures --labels "fox,bear,owl"',
    'clipfleet label "holiday/**/*.jpg" --labels-file names.txt --top-k 3 --output rows.jsonl',
    'clipfleet label photos.csv --url-column image --labels "cat,dog"',
    'clipfleet label https://example.org/cat.jpg --labels "cat,dog" --output - | jq .predictions',
    'clipfleet label pictures --labels "fox,bear,owl" --run 20261123-145500-k3x9q2   # continue',
    'clipfleet label pictures --labels "fox,bear,owl" --run pictures --changed   # what is new or was changed',
  ],
  options: optionNames,
  oneOf: ['labels', 'labelsFile'],
  async run(paths, config) {
    checkChanged(config);
    if (config.output)
      await checkOutput(config.output, { inputs: readBy(paths, config), force: config.force });
    warnOfLikeLabels(await labelSetOf(config));
    const leftOut = createLeftOut();
    const open = (onLeftOut?: (name: string) => void) =>
      openSource(paths, { ...config, address: trustedAddress, ...(onLeftOut && { onLeftOut }) });
    const refs = await begin(open(leftOut.add));
    sayLeftOut(leftOut, ' so far');
    // What is here is read before a server is started for it; what is far is downloaded after all else was checked.
    const here = isHubName(config.model) ? undefined : await findModelShown(config);
    const isQuiet = config.logLevel === 'info';
    const context = await openContext(
      { ...config, logLevel: isQuiet ? 'error' : config.logLevel },
      isQuiet ? waitsSaid : undefined,
    );
    try {
      await sayPersistence(context.redis);
      const labelSet = await labelSetForRun(config, context);
      const rows = config.run ? (await context.producer.store.counts(config.run)).classified : 0;
      // Standard input cannot be read twice.
      if (!paths.includes('-'))
        await refuseTooLarge(() => open(), {
          ...config,
          redis: context.redis,
          labelSet,
          rows,
          rowsHere: config.store === undefined,
        });
      const files = here ?? (await findModelShown(config));
      const again = paths.includes('-') ? undefined : () => open();
      const source = { name: paths.join(' '), refs, again, leftOut };
      return await label(context, config, labelSet, files, source);
    } finally {
      await context.close();
    }
  },
});

/** The files that the command reads, as far as they were named. */
function readBy(paths: string[], { labelsFile }: LabelConfig): string[] {
  return labelsFile === undefined ? paths : [...paths, labelsFile];
}

/** One run from start to end, in this process: its own lane, its own worker. */
async function label(
  context: Context,
  config: LabelConfig,
  labelSet: LabelSet,
  files: ModelFiles,
  source: { name: string; refs: AsyncIterable<ImageRef>; again: SourceAgain; leftOut: LeftOut },
): Promise<number> {
  const run = config.run ?? newRunId();
  const lane = await openPrivateLane(run, context);
  const interrupt = onInterrupt(`finishing what has begun; continue with --run ${run}.`, config);
  const plan = await planSessionShown(files, config);
  const model = await startModelShown(files, plan, config);
  const settings = { ...config, ...plan.settings };
  const worker = startPrivateWorker(context, model, lane.name, settings);
  try {
    // Labels that the model cannot encode are refused before a run is opened and an image read.
    await Promise.race([worker.encodeLabels(labelSet), worker.died, interrupt.interrupted]);
    const newRun = { model: model.identity, labelSet, run, source: source.name, privateLane: lane.name };
    const budget = budgetOf(config, (await context.producer.runs.get(run)) === undefined);
    const { keepEmbeddings: folder } = config;
    const keep = folder === undefined ? {} : { keepEmbeddings: pathToFileURL(resolve(folder)).href };
    const isNew = config.run === undefined;
    const openRun = await context.producer.openRun({ ...newRun, isNew, ...budget, ...keep });
    // A run that was paused goes on: whoever continues it wants that.
    await context.producer.control.resume(run);
    await addChanged(context, run, { ...config, roots: new Map(), signal: interrupt.signal });
    await workUntilEnded(context, settings, worker, openRun, source, interrupt.signal);
  } finally {
    await worker.close(config.graceMs);
    await model.session.close();
    interrupt.stop();
  }
  const table = config.table ? 'always' : 'short';
  const failed = await printRows(context, run, { table, summary: true, output: config.output });
  sayLeftOut(source.leftOut);
  sayNext(run, await context.producer.progress(run));
  if (interrupt.signal.aborted) return exitCodes.interrupted;
  await lane.obliterate({ force: true });
  return failed > 0 ? exitCodes.failed : exitCodes.classified;
}
