import { newRunId } from '../../producer/producer.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import { privateLaneName } from '../../shared/fleet/lanes.ts';
import type { Config } from '../../shared/options/config.ts';
import { keysUnder } from '../../shared/redis/keys.ts';
import { parseRoots } from '../../shared/refs/roots.ts';
import type { Run } from '../../shared/runs/run.ts';
import { createLabelMatrices } from '../../worker/labels/labelMatrices.ts';
import { type LoadedModel, modelOptions } from '../../worker/model/loadModel.ts';
import { type KeptRun, type Places, requireVectors } from '../../worker/relabel/keptVectors.ts';
import { relabelRun } from '../../worker/relabel/relabelRun.ts';
import { createScorer } from '../../worker/score/scorer.ts';
import { workerOptions } from '../../worker/workerSettings.ts';
import { createCommand } from '../setup/commandOptions.ts';
import { type Context, contextOptions, withContext } from '../setup/context.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import { keptFolderOf } from '../setup/exportVectors.ts';
import { type GivenLabels, labelOptions, labelSetOf, thresholdsGiven } from '../setup/labels.ts';
import { onInterrupt, unlessInterrupted } from '../terminal/interrupt.ts';
import { sayNext } from '../terminal/nextSteps.ts';
import { warnOfLikeLabels } from '../terminal/notices.ts';
import { printRows } from '../terminal/printRows.ts';
import { findModelShown, planSessionShown, startModelShown } from '../terminal/progress/modelShown.ts';
import { createProgress } from '../terminal/progress/progress.ts';
import { say } from '../terminal/screen.ts';
import { relabelByFleet } from '../workers/relabelByFleet.ts';

const optionNames = [
  ...labelOptions,
  'table',
  'fleet',
  'highWater',
  'attempts',
  ...modelOptions,
  ...workerOptions,
  'root',
  'graceMs',
  ...contextOptions,
] as const;

type RelabelConfig = Config<(typeof optionNames)[number]>;

export const relabelCommand = createCommand({
  examples: [
    'clipfleet relabel nightly --labels "day,night"',
    'clipfleet relabel nightly --labels-file species.txt --top-k 3',
    'clipfleet relabel nightly --labels "day,night" --fleet --root shared=/mnt/shared',
  ],
  options: optionNames,
  oneOf: ['labels', 'labelsFile'],
  async run([source], config) {
    const labelSet = await labelSetOf(config);
    warnOfLikeLabels(labelSet);
    return withContext(config, async (context) => {
      const { producer } = context;
      const record = await producer.describe(source!);
      const folder = keptFolderOf(record, parseRoots(config.root ?? [], process.cwd()));
      const labels = { labelSet, ...(await thresholdsGiven(config, labelSet)) };
      if (config.fleet) return relabelByFleet(context, config, labels, { record, folder });
      const files = await findModelShown(config);
      const from = keptRunOf(record, files, folder);
      const onTorn = (file: string, bytes: number) =>
        say(`Passed over ${bytes} bytes at the end of ${file}, which its process did not finish.`);
      const places = await requireVectors(from, producer.store, { onTorn });
      const plan = await planSessionShown(files, config);
      const model = await startModelShown(files, plan, config);
      try {
        return await relabel(context, config, labels, model, from, places);
      } finally {
        await model.session.close();
      }
    });
  },
});

/** @throws RUN_MISMATCH for another model */
function keptRunOf(
  record: Run,
  { identity, fingerprint }: { identity: string; fingerprint: string },
  folder: string,
): KeptRun {
  const { run, birth, model } = record;
  if (model !== identity) {
    const message = `The vectors of run '${run}' are of ${model}, and --model is ${identity}: give the run's model.`;
    throw new ClipfleetError('RUN_MISMATCH', message);
  }
  return { run, birth, folder, fingerprint };
}

/** One run from vectors to rows, in this process. What is cut off is cancelled, because it can be had again in seconds. */
async function relabel(
  context: Context,
  config: RelabelConfig,
  given: GivenLabels,
  model: LoadedModel,
  from: KeptRun,
  places: Places,
): Promise<number> {
  const { producer, redis, prefix } = context;
  const { store, runs } = producer;
  const run = newRunId();
  const id = await producer.putLabelSet(given.labelSet);
  const matrices = createLabelMatrices({
    redis,
    keys: keysUnder(prefix),
    fingerprint: model.fingerprint,
    embedTexts: model.session.embedTexts,
    leaseMs: config.lockMs,
  });
  const labels = await matrices.get(id);
  const lane = privateLaneName(run);
  const about = { run, isNew: true, privateLane: lane, source: `relabel of ${from.run}` };
  await producer.openRun({ ...about, model: model.identity, ...given });
  const interrupt = onInterrupt('ending; the run is cancelled.', config);
  const { signal } = interrupt;
  const scorer = createScorer({ scoring: model.scoring });
  const images = places.size;
  const progress = createProgress();
  let done = 0;
  const onLabeled = (more: number) => {
    done += more;
    const none = { paused: undefined, failed: 0, failures: {}, retrying: 0 };
    progress.update({ ...none, state: 'sealed', active: images - done, done, expected: images });
  };
  try {
    const work = () => relabelRun({ from, places, run, labels, scorer, store, runs, onLabeled, signal });
    const ended = await unlessInterrupted(signal, () => Promise.race([work(), scorer.died]));
    if (!ended) await producer.cancel(run);
    if (!ended) return exitCodes.interrupted;
  } catch (error) {
    await producer.cancel(run).catch(() => {});
    throw error;
  } finally {
    progress.stop();
    interrupt.stop();
    await scorer.close();
  }
  await printRows(context, run, { table: config.table ? 'always' : 'short', summary: true });
  sayNext(run, await producer.progress(run));
  return exitCodes.classified;
}
