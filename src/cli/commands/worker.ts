import { setTimeout as delay } from 'node:timers/promises';
import { laneName } from '../../shared/fleet/lanes.ts';
import { modelKey } from '../../shared/fleet/modelIdentity.ts';
import { registerModel } from '../../shared/fleet/models.ts';
import { createLog } from '../../shared/log/log.ts';
import { type Config, defaultOf } from '../../shared/options/config.ts';
import { keysUnder } from '../../shared/redis/keys.ts';
import { persistenceWarning, readPersistence } from '../../shared/redis/persistence.ts';
import { parseRoots } from '../../shared/refs/roots.ts';
import type { Row } from '../../shared/rows/row.ts';
import { isHubName, type LoadedModel, modelOptions } from '../../worker/model/loadModel.ts';
import type { SessionPlan } from '../../worker/model/sessionPlan.ts';
import { createRecentWork } from '../../worker/recentWork.ts';
import { startReporting } from '../../worker/reportWork.ts';
import { coresOfEach } from '../../worker/session/settings.ts';
import { type RunningWorker, startWorker } from '../../worker/worker.ts';
import { type WorkerSettings, workerOptions } from '../../worker/workerSettings.ts';
import { createCommand } from '../setup/commandOptions.ts';
import { type Context, contextOptions, openContext } from '../setup/context.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import { leaveThreads } from '../setup/leave.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { findModelShown, planSessionShown, startModelShown } from '../terminal/progress/modelShown.ts';
import { openHealth } from '../workers/openHealth.ts';
import { devicesOf, supervise } from '../workers/supervise.ts';
import { isSupervised, sayReady, supervisorSaysStop } from '../workers/supervised.ts';

const optionNames = [
  ...modelOptions,
  'root',
  'writeRoot',
  ...workerOptions,
  'devices',
  'processes',
  'gateway',
  'gatewayKey',
  'healthPort',
  'healthHost',
  'logEveryMs',
  'graceMs',
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
    if (devices && !isSupervised()) return supervise(devices, createLog(config.logLevel), config);
    // From here on: a supervisor may be gone before the model is loaded.
    const supervised = isSupervised() ? supervisorSaysStop(config.graceMs) : undefined;
    const roots = parseRoots(config.root ?? [], process.cwd());
    const writeRoots = config.writeRoot ? parseRoots(config.writeRoot, process.cwd()) : new Map();
    const here = isHubName(config.model) ? undefined : await findModelShown(config);
    const recent = createRecentWork();
    const context = await openContext(config, { onLoggedError: recent.onLoggedError });
    try {
      const loses = persistenceWarning(await readPersistence(context.redis));
      if (loses !== undefined) context.log.warn({ why: loses }, 'Redis may lose runs');
      const files = here ?? (await findModelShown(config));
      const cores = coresOfEach(devices?.length ?? 1);
      const plan = await planSessionShown(files, { ...config, cores });
      const model = await startModelShown(files, plan, config);
      try {
        return await serve(
          context,
          {
            ...config,
            ...plan.settings,
            gateway: config.gateway ?? `http://${defaultOf('host')}:${defaultOf('port')}`,
          },
          plan,
          model,
          { roots, writeRoots, recent },
          supervised,
        );
      } finally {
        await model.session.close();
      }
    } finally {
      await context.close();
    }
  },
});

const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0);

/** Share of the grace time for its last report, which Redis may not take any more. */
const LAST_WORDS = 0.05;

/** Works the model's lanes until a signal comes. */
async function serve(
  { producer, redis, prefix, log }: Context,
  config: WorkerConfig & WorkerSettings,
  plan: SessionPlan,
  model: LoadedModel,
  {
    roots,
    writeRoots,
    recent,
  }: Record<'roots' | 'writeRoots', Map<string, string>> & {
    recent: ReturnType<typeof createRecentWork>;
  },
  supervised: Promise<void> | undefined,
): Promise<number> {
  const { identity, fingerprint } = model;
  const { logitScale, logitBias, source: scaleSource } = model.scoring;
  const scale = { logitScale, logitBias, scaleSource };
  const record = { fingerprint, key: modelKey(identity), ...scale, at: new Date().toISOString() };
  const keys = keysUnder(prefix);
  await registerModel(redis, keys, identity, record);
  const lanes = [
    { name: laneName('interactive', identity), urgent: true },
    { name: laneName('bulk', identity), urgent: false },
  ];
  const { store, runs } = producer;
  const { logEveryMs: everyMs } = config;
  const { fallback, name: device } = plan.device;
  // Before there is a worker that would have to be closed where the port is taken.
  let started: RunningWorker | undefined;
  const about = { model: identity, device, batchSize: config.batchSize };
  const { metrics, ...at } = await openHealth(about, () => started, config);
  const onBatch = (images: number) => {
    log.debug({ images }, 'batch');
    recent.onBatch(images);
    metrics?.onBatch(images);
  };
  const onTextBatch = (prompts: number) => log.debug({ prompts }, 'text batch');
  const onRows = (rows: readonly Row[]) => {
    recent.onRows(rows);
    metrics?.onRows(rows);
  };
  const told = {
    log,
    onBatch,
    onTextBatch,
    onRows,
    ...(metrics && { onStage: metrics.onStage, countEvent: metrics.countEvent }),
  };
  const roomy = { redis, prefix, model, store, runs, lanes, roots, writeRoots, trustPaths: false };
  const context = { ...roomy, ...told };
  const worker = startWorker(context, config);
  started = worker;
  // Nothing can be finished without its threads; whatever started this process should start it again.
  worker.died.catch(async (error: Error) => {
    log.fatal({ err: error }, 'worker lost its session or its lanes');
    const { givenBack, left } = await worker.giveBack();
    log.fatal({ givenBack, left }, 'worker gave its jobs back');
    await leaveThreads(exitCodes.couldNotRun);
  });
  const stopped = supervised ?? onInterrupt('finishing the images in flight.', config).interrupted;
  const { dtype } = plan;
  const on = {
    device,
    dtype,
    ...(fallback && { deviceFallback: fallback }),
    ...plan.settings,
    from: plan.from,
  };
  const said = { model: identity, ...scale, lanes: lanes.map(({ name }) => name), roots: [...roots.keys()] };
  // Where that fails, it is the worker's end.
  await worker.ready.catch(() => worker.died);
  log.info({ pid: process.pid, ...on, ...said, ...at }, 'worker ready');
  sayReady();
  const { takeReport } = worker;
  const takeRecent = () => recent.read(sumOf(Object.values(worker.inside())));
  const reports = { takeReport, takeRecent };
  const reporting = startReporting({ redis, keys, log, model: identity, device, roots, everyMs, ...reports });
  await stopped;
  const { finished, givenBack, left } = await worker.close(config.graceMs);
  await Promise.race([reporting.stop(), delay(LAST_WORDS * config.graceMs, undefined, { ref: false })]);
  log.info({ givenBack, left }, 'worker stopped');
  // What it did not wait for would keep the process alive.
  if (!finished) await leaveThreads(left > 0 ? exitCodes.couldNotRun : exitCodes.classified);
  return exitCodes.classified;
}
