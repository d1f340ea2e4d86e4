import { Queue } from 'bullmq';
import { listOptions, openSource } from '../../openSource.ts';
import { newRunId } from '../../producer/producer.ts';
import type { OpenRun } from '../../producer/runs/openRun.ts';
import { reclaimLane } from '../../producer/runs/reclaimLane.ts';
import { refuseTooLarge } from '../../producer/runs/redisRoom.ts';
import type { RunProgress } from '../../producer/runs/runProgress.ts';
import { trustedAddress } from '../../producer/sources/address.ts';
import { begin } from '../../producer/sources/begin.ts';
import { createLeftOut, type LeftOut } from '../../producer/sources/leftOut.ts';
import { checkOutput } from '../../results/exports/outputFile.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import { privateLaneName } from '../../shared/fleet/lanes.ts';
import type { LabelSet } from '../../shared/labels/labelSet.ts';
import type { Config } from '../../shared/options/config.ts';
import type { ImageRef } from '../../shared/refs/imageRef.ts';
import { cancelledRun } from '../../shared/runs/runErrors.ts';
import { modelOptions } from '../../worker/model/loadModel.ts';
import type { ModelFiles } from '../../worker/model/model.ts';
import type { RunningWorker } from '../../worker/worker.ts';
import { workerOptions } from '../../worker/workerSettings.ts';
import { createCommand } from '../setup/commandOptions.ts';
import { type Context, contextOptions, openContext } from '../setup/context.ts';
import { labelSetForRun } from '../setup/continuedRun.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import { budgetOf } from '../setup/failureBudgetFlag.ts';
import { labelOptions, labelSetOf } from '../setup/labels.ts';
import { followRun } from '../terminal/follow.ts';
import { onInterrupt, unlessInterrupted } from '../terminal/interrupt.ts';
import { findModelShown, planSessionShown, startModelShown } from '../terminal/modelShown.ts';
import { sayLeftOut, warnOfLikeLabels } from '../terminal/notices.ts';
import { printRows } from '../terminal/printRows.ts';
import { createProgress } from '../terminal/progress.ts';
import { sampleBottleneck, startPrivateWorker } from '../workers/privateWorker.ts';

const optionNames = [
  ...labelOptions,
  'output',
  'force',
  ...listOptions,
  'run',
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
  ],
  options: optionNames,
  oneOf: ['labels', 'labelsFile'],
  async run(paths, config) {
    if (config.output)
      await checkOutput(config.output, { inputs: readBy(paths, config), force: config.force });
    warnOfLikeLabels(await labelSetOf(config));
    const leftOut = createLeftOut();
    const open = (onLeftOut?: (name: string) => void) =>
      openSource(paths, { ...config, address: trustedAddress, ...(onLeftOut && { onLeftOut }) });
    const refs = await begin(open(leftOut.add));
    const files = await findModelShown(config);
    const context = await openContext({
      ...config,
      logLevel: config.logLevel === 'info' ? 'error' : config.logLevel,
    });
    try {
      const labelSet = await labelSetForRun(config, context);
      const rows = config.run ? (await context.producer.store.counts(config.run)).classified : 0;
      // Standard input cannot be read twice.
      if (!paths.includes('-'))
        await refuseTooLarge(() => open(), { ...config, redis: context.redis, labelSet, rows });
      return await label(context, config, labelSet, files, refs, leftOut);
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
  refs: AsyncIterable<ImageRef>,
  leftOut: LeftOut,
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
    const newRun = { model: model.identity, labelSet, run, privateLane: lane.name, ...budgetOf(config) };
    const openRun = await context.producer.openRun(newRun);
    // A run that was paused goes on: whoever continues it wants that.
    await context.producer.control.resume(run);
    await workUntilEnded(context, settings, worker, openRun, refs, interrupt.signal);
  } finally {
    await worker.close(config.graceMs);
    await model.session.close();
    interrupt.stop();
  }
  const failed = await printRows(context, run, config.output ? 'both' : 'table', config.output ?? '-');
  sayLeftOut(leftOut);
  if (interrupt.signal.aborted) {
    process.stderr.write(`Interrupted: continue with the same command and --run ${run}\n`);
    return exitCodes.interrupted;
  }
  await lane.obliterate({ force: true });
  return failed > 0 ? exitCodes.failed : exitCodes.classified;
}

async function workUntilEnded(
  context: Context,
  config: LabelConfig,
  worker: RunningWorker,
  openRun: OpenRun,
  refs: AsyncIterable<ImageRef>,
  signal: AbortSignal,
): Promise<void> {
  const { producer } = context;
  const before = await producer.store.counts(openRun.run);
  const progress = createProgress(before.classified + before.failed);
  const add = () =>
    unlessInterrupted(signal, async () => {
      await openRun.add(refs, { ...config, signal });
      await openRun.seal();
    });
  try {
    const bottleneck = sampleBottleneck(worker);
    const following = followRun(producer, openRun.run, progress, { signal, bottleneck, untilPaused: true });
    const done = Promise.all([following.then(refuseHeld(openRun.run)), add()]);
    await Promise.race([done, worker.died]);
  } finally {
    progress.stop();
    await openRun.close();
  }
}

/** What ends the work without being its end: with nobody to resume it, a paused run would wait for ever. */
function refuseHeld(run: string): (progress: RunProgress | undefined) => void {
  return (progress) => {
    if (progress?.state === 'cancelled') throw cancelledRun(run);
    if (progress?.paused === undefined) return;
    const message = `Run '${run}' was paused: ${progress.paused}. The same command with --run ${run} goes on with it.`;
    throw new ClipfleetError('RUN_PAUSED', message);
  };
}

/** The run's own queue, empty. @throws RUN_BUSY */
async function openPrivateLane(run: string, { redis, prefix, producer }: Context): Promise<Queue> {
  const lane = new Queue(privateLaneName(run), { connection: redis, prefix });
  if ((await lane.getWorkersCount()) > 0) {
    const message = 'Another process is labeling this run: wait for it, or give another --run.';
    throw new ClipfleetError('RUN_BUSY', message);
  }
  await reclaimLane(run, lane, producer);
  return lane;
}
