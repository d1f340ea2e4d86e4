import { laneName } from '../../shared/fleet/lanes.ts';
import { modelKey } from '../../shared/fleet/modelIdentity.ts';
import { registerModel } from '../../shared/fleet/models.ts';
import { createLog } from '../../shared/log.ts';
import type { Config } from '../../shared/options/config.ts';
import { keysUnder } from '../../shared/redis/keys.ts';
import { parseRoots } from '../../shared/refs/roots.ts';
import { isHubName, type LoadedModel, modelOptions } from '../../worker/model/loadModel.ts';
import { startReporting } from '../../worker/reportWork.ts';
import { coresOfEach } from '../../worker/session/settings.ts';
import { startWorker } from '../../worker/worker.ts';
import { type WorkerSettings, workerOptions } from '../../worker/workerSettings.ts';
import { createCommand } from '../setup/commandOptions.ts';
import { type Context, contextOptions, openContext } from '../setup/context.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { findModelShown, startModelShown } from '../terminal/modelShown.ts';
import { devicesOf, supervise } from '../workers/supervise.ts';
import { isSupervised, sayReady, supervisorSaysStop } from '../workers/supervised.ts';

const optionNames = [
  ...modelOptions,
  'root',
  ...workerOptions,
  'devices',
  'processes',
  'logEveryMs',
  ...contextOptions,
] as const;

type WorkerConfig = Config<(typeof optionNames)[number]>;

export const workerCommand = createCommand({
  examples: [
    'clipfleet worker --model models/demo',
    'REDIS_URL=redis://queue:6379 clipfleet worker --root photos=/mnt/photos --batch-size 64 --device cuda',
    'clipfleet worker --processes 2',
  ],
  options: optionNames,
  async run(_, config) {
    const devices = devicesOf(config);
    if (devices && !isSupervised()) return supervise(devices, createLog(config.logLevel));
    const roots = parseRoots(config.root ?? [], process.cwd());
    const here = isHubName(config.model) ? undefined : await findModelShown(config);
    const context = await openContext(config);
    try {
      const files = here ?? (await findModelShown(config));
      const cores = coresOfEach(devices?.length ?? 1);
      const model = await startModelShown(files, { ...config, cores });
      try {
        return await serve(context, { ...config, ...model.settings }, model, roots);
      } finally {
        await model.session.close();
      }
    } finally {
      await context.close();
    }
  },
});

/** Works the model's lanes until a signal comes. */
async function serve(
  { producer, redis, prefix, log }: Context,
  config: WorkerConfig & WorkerSettings,
  model: LoadedModel,
  roots: Map<string, string>,
): Promise<number> {
  const { identity, fingerprint } = model;
  const { logitScale, logitBias, source: scaleSource } = model.scoring;
  const scale = { logitScale, logitBias, scaleSource };
  const about = { fingerprint, key: modelKey(identity), ...scale, at: new Date().toISOString() };
  const keys = keysUnder(prefix);
  await registerModel(redis, keys, identity, about);
  const lanes = [
    { name: laneName('interactive', identity), urgent: true },
    { name: laneName('bulk', identity), urgent: false },
  ];
  const { store, runs } = producer;
  const { logEveryMs: everyMs } = config;
  const { fallback, name: device } = model.device;
  const onBatch = (images: number) => log.debug({ images }, 'batch');
  const onTextBatch = (prompts: number) => log.debug({ prompts }, 'text batch');
  const told = { log, onBatch, onTextBatch };
  const context = { redis, prefix, model, store, runs, lanes, roots, trustPaths: false, ...told };
  const worker = startWorker(context, config);
  // Nothing can be finished without its threads; whatever started this process should start it again.
  worker.died.catch((error: Error) => {
    log.fatal({ err: error }, 'session lost');
    process.exit(exitCodes.couldNotRun);
  });
  const stopped = isSupervised()
    ? supervisorSaysStop()
    : onInterrupt('finishing the images in flight.').interrupted;
  const on = { device, ...(fallback && { deviceFallback: fallback }), ...model.settings, from: model.from };
  const said = { model: identity, ...scale, lanes: lanes.map(({ name }) => name), roots: [...roots.keys()] };
  log.info({ pid: process.pid, ...on, ...said }, 'worker ready');
  sayReady();
  const { takeReport } = worker;
  const reporting = startReporting({ redis, keys, log, model: identity, device, everyMs, takeReport });
  await stopped;
  await worker.close();
  await reporting.stop();
  log.info('worker stopped');
  return exitCodes.classified;
}
