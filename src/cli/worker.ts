import type { Config } from '../shared/config.ts';
import { keysUnder } from '../shared/keys.ts';
import { laneName } from '../shared/lanes.ts';
import { modelKey } from '../shared/modelIdentity.ts';
import { registerModel } from '../shared/models.ts';
import { parseRoots } from '../shared/roots.ts';
import { type LoadedModel, modelOptions } from '../worker/loadModel.ts';
import { startWorker, workerOptions } from '../worker/worker.ts';
import { createCommand } from './commandOptions.ts';
import { type Context, contextOptions, openContext } from './context.ts';
import { exitCodes } from './follow.ts';
import { onInterrupt } from './interrupt.ts';
import { findModelShown, startModelShown } from './modelShown.ts';

const optionNames = [...modelOptions, 'root', ...workerOptions, ...contextOptions] as const;

type WorkerConfig = Config<(typeof optionNames)[number]>;

export const workerCommand = createCommand({
  name: 'worker',
  summary: 'Take jobs of one model from Redis and label their images, until told to stop.',
  examples: [
    'clipfleet worker --model models/demo',
    'REDIS_URL=redis://queue:6379 clipfleet worker --root photos=/mnt/photos --batch-size 64 --device cuda',
  ],
  options: optionNames,
  async run(_, config) {
    const roots = parseRoots(config.root ?? [], process.cwd());
    const files = await findModelShown(config);
    const context = await openContext(config);
    try {
      const model = await startModelShown(files, config);
      try {
        return await serve(context, config, model, roots);
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
  config: WorkerConfig,
  model: LoadedModel,
  roots: Map<string, string>,
): Promise<number> {
  const { identity, fingerprint } = model;
  const { logitScale, logitBias, source: scaleSource } = model.scoring;
  const scale = { logitScale, logitBias, scaleSource };
  const about = { fingerprint, key: modelKey(identity), ...scale, at: new Date().toISOString() };
  await registerModel(redis, keysUnder(prefix), identity, about);
  const lanes = [
    { name: laneName('interactive', identity), urgent: true },
    { name: laneName('bulk', identity), urgent: false },
  ];
  const { store, runs } = producer;
  const { device, deviceFallback } = model.session;
  const onBatch = (images: number) => log.debug({ images }, 'batch');
  const context = { redis, prefix, log, model, store, runs, lanes, roots, trustPaths: false, onBatch };
  const worker = startWorker(context, config);
  // Nothing can be finished without the session; whatever started this process should start it again.
  worker.died.catch((error: Error) => {
    log.fatal({ err: error }, 'session lost');
    process.exit(exitCodes.couldNotRun);
  });
  const interrupt = onInterrupt('finishing the images in flight.');
  const on = { device, ...(deviceFallback && { deviceFallback }) };
  const said = {
    model: identity,
    ...on,
    ...scale,
    lanes: lanes.map(({ name }) => name),
    roots: [...roots.keys()],
  };
  log.info(said, 'worker ready');
  await interrupt.interrupted;
  await worker.close();
  log.info('worker stopped');
  return exitCodes.classified;
}
