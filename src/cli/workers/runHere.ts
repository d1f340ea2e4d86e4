import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type listOptions, openSource } from '../../openSource.ts';
import { createLeftOut, type LeftOut } from '../../producer/images/leftOut.ts';
import { newRunId } from '../../producer/producer.ts';
import { refuseTooLarge } from '../../producer/runs/redisRoom.ts';
import { trustedAddress } from '../../producer/sources/address.ts';
import { checkOutput } from '../../results/exports/outputFile.ts';
import { begin } from '../../shared/begin.ts';
import type { LabelSet } from '../../shared/labels/labelSet.ts';
import type { Config } from '../../shared/options/config.ts';
import type { ImageRef } from '../../shared/refs/imageRef.ts';
import { isHubName, type modelOptions } from '../../worker/model/loadModel.ts';
import type { ModelFiles } from '../../worker/model/model.ts';
import type { workerOptions } from '../../worker/workerSettings.ts';
import { addChanged, checkChanged } from '../setup/changedFiles.ts';
import { type Context, type contextOptions, openContext } from '../setup/context.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import { budgetOf } from '../setup/failureBudgetFlag.ts';
import type { GivenLabels } from '../setup/labels.ts';
import { leaveUnfinished } from '../setup/leave.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import type { SourceAgain } from '../terminal/lostImages.ts';
import { sayNext } from '../terminal/nextSteps.ts';
import { sayLeftOut, waitsSaid } from '../terminal/notices.ts';
import { printRows } from '../terminal/printRows.ts';
import { findModelShown, planSessionShown, startModelShown } from '../terminal/progress/modelShown.ts';
import { sayPersistence } from '../terminal/sayPersistence.ts';
import { openPrivateLane, workUntilEnded } from './privateRun.ts';
import { startPrivateWorker } from './privateWorker.ts';

/** What a command that runs images through a model here is told. */
export type RunHereConfig = Config<
  | (typeof listOptions)[number]
  | (typeof modelOptions)[number]
  | (typeof workerOptions)[number]
  | (typeof contextOptions)[number]
  | 'output'
  | 'force'
  | 'table'
  | 'run'
  | 'changed'
  | 'keepEmbeddings'
  | 'chunkSize'
  | 'highWater'
  | 'attempts'
  | 'maxFailureRate'
  | 'graceMs'
>;

/** The labels that the images get. */
export interface LabelsHere {
  /** Refuses what is wrong with them, before anything is opened. */
  check(): Promise<void>;
  of(context: Context): Promise<GivenLabels>;
  /** The file that they are read from. */
  file: string | undefined;
}

/** The images of a run, and where they come from. */
interface SourceHere {
  name: string;
  refs: AsyncIterable<ImageRef>;
  again: SourceAgain;
  leftOut: LeftOut;
}

/** Images of any source as a run of this machine: labeled, or without labels embedded alone. Resolves to the exit code. */
export async function runHere(
  paths: string[],
  config: RunHereConfig,
  labels: LabelsHere | undefined,
): Promise<number> {
  checkChanged(config);
  const { output, force } = config;
  const inputs = labels?.file === undefined ? paths : [...paths, labels.file];
  if (output) await checkOutput(output, { inputs, force });
  await labels?.check();
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
    isQuiet ? { waits: waitsSaid } : {},
  );
  // Standard input cannot be read twice.
  const again = paths.includes('-') ? undefined : () => open();
  try {
    await sayPersistence(context.redis);
    const given = await labels?.of(context);
    if (again) await refuseRowsTooLarge(again, context, config, given?.labelSet);
    const files = here ?? (await findModelShown(config));
    return await work(context, config, given, files, { name: paths.join(' '), refs, again, leftOut });
  } finally {
    await context.close();
  }
}

async function refuseRowsTooLarge(
  open: () => AsyncIterable<ImageRef>,
  { redis, producer }: Context,
  { run, store, highWater }: RunHereConfig,
  labelSet: LabelSet | undefined,
): Promise<void> {
  const rows = run ? (await producer.store.counts(run)).classified : 0;
  await refuseTooLarge(open, { redis, highWater, labelSet, rows, rowsHere: store === undefined });
}

/** One run from start to end, in this process: its own lane, its own worker. */
async function work(
  context: Context,
  config: RunHereConfig,
  given: GivenLabels | undefined,
  files: ModelFiles,
  source: SourceHere,
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
    if (given) await Promise.race([worker.encodeLabels(given.labelSet), worker.died, interrupt.interrupted]);
    const newRun = { model: model.identity, run, source: source.name, privateLane: lane.name };
    const budget = budgetOf(config, (await context.producer.runs.get(run)) === undefined);
    const { keepEmbeddings: folder } = config;
    const keep = folder === undefined ? {} : { keepEmbeddings: pathToFileURL(resolve(folder)).href };
    const isNew = config.run === undefined;
    const wanted = { ...given, ...budget, ...keep };
    const openRun = await context.producer.openRun({ ...newRun, isNew, ...wanted });
    // A run that was paused goes on: whoever continues it wants that.
    await context.producer.control.resume(run);
    await addChanged(context, run, { ...config, roots: new Map(), signal: interrupt.signal });
    await workUntilEnded(context, settings, worker, openRun, source, interrupt.signal);
  } finally {
    const { finished } = await worker.close(config.graceMs);
    if (!finished) leaveUnfinished();
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
