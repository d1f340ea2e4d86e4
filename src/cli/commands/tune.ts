import { readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../shared/options/config.ts';
import { packaged } from '../../shared/packageRoot.ts';
import { type LoadedModel, modelOptions } from '../../worker/model/loadModel.ts';
import type { ModelFiles } from '../../worker/model/model.ts';
import type { SessionPlan } from '../../worker/model/sessionPlan.ts';
import { coresOfEach } from '../../worker/session/settings.ts';
import { saveTuned } from '../../worker/session/tuned.ts';
import { type DecodeTrial, sweepDecode } from '../../worker/tune/sweepDecode.ts';
import {
  batchSizes,
  fastest,
  isUnsteady,
  rateOf,
  type SessionTrial,
  sweepSession,
  sweptSession,
} from '../../worker/tune/sweepSession.ts';
import { createCommand } from '../setup/commandOptions.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import { alignColumns } from '../terminal/printable.ts';
import { findModelShown, planSessionShown, startModelShown } from '../terminal/progress/modelShown.ts';

const optionNames = [...modelOptions, 'userAgent', 'processes', 'seconds'] as const;

type TuneConfig = Config<(typeof optionNames)[number]>;

/** The session is made ready for it; the largest that is swept. */
const LARGEST_BATCH = Math.max(...batchSizes);

const pictures = packaged('examples/pictures');

const UNSTEADY =
  'Warning: the same trial came out very differently. Tune again when the machine has nothing else to do.\n';

export const tuneCommand = createCommand({
  examples: ['clipfleet tune --model models/demo', 'clipfleet tune --device cuda --seconds 120'],
  options: optionNames,
  async run(_, config) {
    const files = await findModelShown(config);
    const cores = config.processes ? coresOfEach(config.processes) : availableParallelism();
    const plan = await planSessionShown(files, { ...config, cores });
    const { model, trial, trials } = await tuneSession(files, plan, config, cores);
    try {
      process.stdout.write(`${formatSession(trials, trial)}\n\n`);
      const decodeTrials = await tuneDecode(model, trial, cores, config.seconds);
      const { decoders, ...decode } = fastest(decodeTrials);
      process.stdout.write(`${formatDecode(decodeTrials, decoders)}\n\n`);
      const settings = { batchSize: trial.batchSize, threads: trial.threads, decoders };
      const tunedFor = { fingerprint: plan.fingerprint, device: plan.device.name, cores };
      const path = await saveTuned(plan.cacheDir, tunedFor, settings, rateOf(decode));
      process.stdout.write(
        `--batch-size ${settings.batchSize} --threads ${settings.threads} --decoders ${decoders}\n` +
          `Saved in ${path}: what this model starts with on this machine from now on, where nothing else is said.\n`,
      );
      if ([trial, decode].some(isUnsteady)) process.stderr.write(UNSTEADY);
      return exitCodes.classified;
    } finally {
      await model.session.close();
    }
  },
});

/** The best way to run the session by itself, and the session that runs so; the others are closed. */
async function tuneSession(files: ModelFiles, plan: SessionPlan, config: TuneConfig, cores: number) {
  const candidates = config.threads ? [config.threads] : threadsToTry(plan.device.name, cores);
  const models: { threads: number; model: LoadedModel }[] = [];
  try {
    for (const threads of candidates) {
      const settings = { ...plan.settings, threads, batchSize: LARGEST_BATCH };
      models.push({ threads, model: await startModelShown(files, { ...plan, settings }, config) });
    }
    process.stderr.write(`Measuring the session alone, for up to ${config.seconds / 2} s.\n`);
    const sessions = models.map(({ threads, model }) => sweptSession(model, threads));
    const trials = await sweepSession(sessions, config.seconds * 500);
    const trial = fastest(trials.toSorted((a, b) => a.batchSize - b.batchSize || a.threads - b.threads));
    const { model } = models.splice(
      models.findIndex(({ threads }) => threads === trial.threads),
      1,
    )[0]!;
    return { model, trial, trials };
  } finally {
    for (const { model } of models) await model.session.close();
  }
}

/** All cores, and fewer: of two hardware threads of one core, the second often gains nothing. A GPU needs one. */
function threadsToTry(device: string, cores: number): number[] {
  if (device !== 'cpu') return [cores];
  return [...new Set([Math.ceil(cores / 4), Math.ceil(cores / 2), cores])];
}

async function tuneDecode(
  model: LoadedModel,
  { batchSize, ...trial }: SessionTrial,
  cores: number,
  seconds: number,
): Promise<DecodeTrial[]> {
  process.stderr.write(`Measuring decoding beside it, for up to ${seconds / 2} s.\n`);
  const files = (await readdir(pictures)).sort().map((name) => join(pictures, name));
  const decoders = [...new Set([Math.ceil(cores / 2), cores, 2 * cores])];
  return sweepDecode(model, files, { decoders, batchSize, rate: rateOf(trial) }, seconds * 500);
}

function formatSession(trials: readonly SessionTrial[], chosen: SessionTrial): string {
  const sizes = [...new Set(trials.map(({ batchSize }) => batchSize))];
  const threads = [...new Set(trials.map((trial) => trial.threads))];
  const cell = (of: number, batchSize: number) => {
    const trial = trials.find((each) => each.threads === of && each.batchSize === batchSize);
    return trial ? `${rateOf(trial).toFixed(1)}${trial === chosen ? ' *' : ''}` : '-';
  };
  const head = ['threads', ...sizes.map((size) => `batch ${size}`)];
  const rows = threads.map((of) => [String(of), ...sizes.map((size) => cell(of, size))]);
  return `The session alone, images/s:\n\n${alignColumns([head, ...rows])}`;
}

function formatDecode(trials: readonly DecodeTrial[], chosen: number): string {
  const rows = trials.map(({ decoders, ...trial }) => [
    String(decoders),
    `${rateOf(trial).toFixed(1)}${decoders === chosen ? ' *' : ''}`,
  ]);
  const title = 'Decode and session together, the example pictures, images/s:';
  return `${title}\n\n${alignColumns([['decoders', 'images/s'], ...rows])}`;
}
