import { openSource } from '../../openSource.ts';
import { newRunId } from '../../producer/producer.ts';
import { trustedAddress } from '../../producer/sources/address.ts';
import { privateLaneName } from '../../shared/fleet/lanes.ts';
import { defineLabelSet } from '../../shared/labels/labelSet.ts';
import { type Config, defaultOf } from '../../shared/options/config.ts';
import { packaged } from '../../shared/packageRoot.ts';
import { bundledModel, findModel } from '../../worker/model/loadModel.ts';
import { workerOptions } from '../../worker/workerSettings.ts';
import { createCommand } from '../setup/commandOptions.ts';
import { type Context, contextOptions, openContext } from '../setup/context.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { printRows } from '../terminal/printRows.ts';
import { followRun } from '../terminal/progress/follow.ts';
import { planSessionShown, startModelShown } from '../terminal/progress/modelShown.ts';
import { createProgress } from '../terminal/progress/progress.ts';
import { startPrivateWorker } from '../workers/privateWorker.ts';

const pictures = packaged('examples/pictures');

/** Pictures and labels; the first two are the example that zero-shot image classification is usually taught with. */
const scenes = [
  { title: 'An owl, among four animals', paths: ['owl.jpg'], labels: ['fox', 'bear', 'seagull', 'owl'] },
  {
    title: 'A car, among four things of the street',
    paths: ['car.jpg'],
    labels: ['tree', 'car', 'bike', 'cat'],
  },
  {
    title: 'All 16 pictures, among all 16 names',
    paths: ['.'],
    labels: [
      ...['airplane', 'apple', 'bear', 'bike', 'car', 'cat', 'dog', 'fox'],
      ...['guitar', 'horse', 'owl', 'pizza', 'rocket', 'sailboat', 'tree', 'umbrella'],
    ],
  },
];

const optionNames = [
  'device',
  'threads',
  'cacheDir',
  ...workerOptions,
  'graceMs',
  ...contextOptions,
] as const;

export const demoCommand = createCommand({
  examples: ['clipfleet demo'],
  options: optionNames,
  async run(_, config) {
    const context = await openContext({
      ...config,
      logLevel: config.logLevel === 'info' ? 'error' : config.logLevel,
    });
    try {
      return await demo(context, config);
    } finally {
      await context.close();
    }
  },
});

async function demo(context: Context, config: Config<(typeof optionNames)[number]>): Promise<number> {
  const lane = privateLaneName(newRunId());
  const files = await findModel({
    model: bundledModel,
    revision: defaultOf('revision'),
    dtype: undefined,
  });
  const plan = await planSessionShown(files, config);
  const model = await startModelShown(files, plan, {});
  const settings = { ...config, ...plan.settings };
  const interrupt = onInterrupt('finishing what has begun.', config);
  // All three runs wait in the lane before the worker starts, the largest in front: so their images meet in its batches.
  const runs: string[] = [];
  const batches: number[] = [];
  try {
    for (const scene of scenes.toReversed())
      runs.unshift(await addScene(context, model.identity, lane, scene));
    const worker = startPrivateWorker(context, model, lane, settings, (images) => batches.push(images));
    const progress = createProgress();
    for (const run of runs) await followRun(context.producer, run, progress, interrupt);
    progress.stop();
    await worker.close(config.graceMs);
  } finally {
    await model.session.close();
    interrupt.stop();
  }

  let failed = 0;
  for (const [i, run] of runs.entries()) {
    process.stdout.write(`\n${scenes[i]!.title}\n\n`);
    failed += await printRows(context, run, { table: 'always', summary: false });
  }
  const images = batches.reduce((sum, count) => sum + count, 0);
  process.stdout.write(
    `\n${images} images of ${runs.length} runs with ${runs.length} label sets went through the vision session in ` +
      `${batches.length} batches (${batches.join(' + ')}).\n`,
  );
  return failed > 0 ? exitCodes.failed : exitCodes.classified;
}

async function addScene(
  { producer }: Context,
  model: string,
  privateLane: string,
  { paths, labels }: (typeof scenes)[number],
): Promise<string> {
  const openRun = await producer.openRun({ model, labelSet: defineLabelSet({ labels }), privateLane });
  await openRun.add(openSource(paths, { cwd: pictures, address: trustedAddress }));
  await openRun.seal();
  await openRun.close();
  return openRun.run;
}
