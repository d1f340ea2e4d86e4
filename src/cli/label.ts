import { Queue } from 'bullmq';
import { trustedAddress } from '../producer/address.ts';
import { newRunId } from '../producer/producer.ts';
import { listSource } from '../producer/source.ts';
import type { Config } from '../shared/config.ts';
import { ClipfleetError } from '../shared/errors.ts';
import type { ImageRef } from '../shared/imageRef.ts';
import type { LabelSet } from '../shared/labelSet.ts';
import { privateLaneName } from '../shared/lanes.ts';
import { modelOptions } from '../worker/loadModel.ts';
import type { ModelFiles } from '../worker/model.ts';
import { startWorker, workerOptions } from '../worker/worker.ts';
import { createCommand } from './commandOptions.ts';
import { type Context, contextOptions, openContext } from './context.ts';
import { exitCodes, followRun } from './follow.ts';
import { onInterrupt } from './interrupt.ts';
import { labelOptions, labelSetOf } from './labels.ts';
import { findModelShown, startModelShown } from './modelShown.ts';
import { printRows } from './printRows.ts';
import { createProgress } from './progress.ts';

const optionNames = [
  ...labelOptions,
  'output',
  'run',
  ...modelOptions,
  ...workerOptions,
  'chunkSize',
  'highWater',
  'attempts',
  ...contextOptions,
] as const;

type LabelConfig = Config<(typeof optionNames)[number]>;

export const labelCommand = createCommand({
  name: 'label',
  arguments: '<paths...>',
  summary: 'Label images on this machine: files, folders, globs and URLs in, ranked labels out.',
  examples: [
    'clipfleet label pictures --labels "fox,bear,owl"',
    'clipfleet label "holiday/**/*.jpg" --labels-file names.txt --top-k 3 --output rows.jsonl',
    'clipfleet label https://example.org/cat.jpg --labels "cat,dog" --output - | jq .predictions',
    'clipfleet label pictures --labels "fox,bear,owl" --run 20261123-145500-k3x9q2   # continue',
  ],
  options: optionNames,
  oneOf: ['labels', 'labelsFile'],
  async run(paths, config) {
    const labelSet = await labelSetOf(config);
    const refs = listSource(paths, { cwd: process.cwd(), address: trustedAddress });
    // The first ref says whether the paths are right, before anything is started for them.
    const first = await refs.next();
    const files = await findModelShown(config);
    const context = await openContext({
      ...config,
      logLevel: config.logLevel === 'info' ? 'error' : config.logLevel,
    });
    try {
      return await label(context, config, labelSet, files, resumed(first, refs));
    } finally {
      await context.close();
    }
  },
});

/** One run from start to end, in this process: its own lane, its own worker. */
async function label(
  context: Context,
  config: LabelConfig,
  labelSet: LabelSet,
  files: ModelFiles,
  refs: AsyncIterable<ImageRef>,
): Promise<number> {
  const { producer, redis, prefix, log } = context;
  const run = config.run ?? newRunId();
  const privateLane = privateLaneName(run);
  const lane = await openPrivateLane(privateLane, context);
  const model = await startModelShown(files, config);
  const openRun = await producer.openRun({ model: model.identity, labelSet, run, privateLane });
  const worker = startWorker(
    {
      redis,
      prefix,
      log,
      model,
      store: producer.store,
      runs: producer.runs,
      lanes: [{ name: privateLane, urgent: false }],
      roots: new Map(),
      trustPaths: true,
    },
    config,
  );
  const interrupt = onInterrupt(`finishing what has begun; continue with --run ${run}.`);
  const before = await producer.store.counts(run);
  const progress = createProgress(before.classified + before.failed);
  const { signal } = interrupt;
  try {
    const adding = openRun
      .add(refs, { ...config, signal })
      .then(() => (signal.aborted ? undefined : openRun.seal()));
    await Promise.race([Promise.all([adding, followRun(producer, run, progress, signal)]), worker.died]);
  } finally {
    progress.stop();
    await worker.close();
    await openRun.close();
    await model.session.close();
    interrupt.stop();
  }
  const failed = await printRows(context, run, config.output ? 'both' : 'table', config.output ?? '-');
  if (signal.aborted) {
    process.stderr.write(`Interrupted: continue with the same command and --run ${run}\n`);
    return exitCodes.interrupted;
  }
  await lane.obliterate({ force: true });
  await lane.close();
  return failed > 0 ? exitCodes.failed : exitCodes.classified;
}

/**
 * The run's own queue, empty. What an earlier process left in it is added again from the source, so that nothing waits
 * for the locks of a process that is gone.
 */
async function openPrivateLane(name: string, { redis, prefix }: Context): Promise<Queue> {
  const lane = new Queue(name, { connection: redis, prefix });
  if ((await lane.getWorkersCount()) > 0) {
    await lane.close();
    throw new ClipfleetError(
      'RUN_BUSY',
      `Another process is labeling this run: wait for it, or give another --run.`,
    );
  }
  await lane.obliterate({ force: true });
  return lane;
}

async function* resumed(
  first: IteratorResult<ImageRef>,
  rest: AsyncGenerator<ImageRef>,
): AsyncGenerator<ImageRef> {
  if (first.done) return;
  yield first.value;
  yield* rest;
}
