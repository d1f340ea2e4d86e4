import { keysUnder } from '../shared/keys.ts';
import { laneName } from '../shared/lanes.ts';
import { modelKey } from '../shared/modelIdentity.ts';
import { registerModel } from '../shared/models.ts';
import { parseRoots } from '../shared/roots.ts';
import { modelOptions } from '../worker/loadModel.ts';
import { startWorker, workerOptions } from '../worker/worker.ts';
import { createCommand } from './commandOptions.ts';
import { contextOptions, openContext } from './context.ts';
import { exitCodes } from './follow.ts';
import { onInterrupt } from './interrupt.ts';
import { findModelShown, startModelShown } from './modelShown.ts';

export const workerCommand = createCommand({
  name: 'worker',
  summary: 'Take jobs of one model from Redis and label their images, until told to stop.',
  examples: [
    'clipfleet worker --model models/demo',
    'REDIS_URL=redis://queue:6379 clipfleet worker --root photos=/mnt/photos --batch-size 64 --device cuda',
  ],
  options: [...modelOptions, 'root', ...workerOptions, ...contextOptions] as const,
  async run(_, config) {
    const roots = parseRoots(config.root ?? [], process.cwd());
    const files = await findModelShown(config);
    const context = await openContext(config);
    const { producer, redis, prefix, log } = context;
    try {
      const model = await startModelShown(files, config);
      const { identity, fingerprint } = model;
      const lanes = [
        { name: laneName('interactive', identity), urgent: true },
        { name: laneName('bulk', identity), urgent: false },
      ];
      const { store, runs } = producer;
      const onBatch = (images: number) => log.debug({ images }, 'batch');
      const worker = startWorker(
        { redis, prefix, log, model, store, runs, lanes, roots, trustPaths: false, onBatch },
        config,
      );
      const { logitScale, logitBias, source: scaleSource } = model.scoring;
      const scale = { logitScale, logitBias, scaleSource };
      const about = { fingerprint, key: modelKey(identity), ...scale, at: new Date().toISOString() };
      await registerModel(redis, keysUnder(prefix), identity, about);
      log.info(
        { model: identity, ...scale, lanes: lanes.map(({ name }) => name), roots: [...roots.keys()] },
        'worker ready',
      );
      // Nothing can be finished without the session; whatever started this process should start it again.
      worker.died.catch((error: Error) => {
        log.fatal({ err: error }, 'session lost');
        process.exit(exitCodes.couldNotRun);
      });
      await onInterrupt('finishing the images in flight.').interrupted;
      await worker.close();
      await model.session.close();
      log.info('worker stopped');
      return exitCodes.classified;
    } finally {
      await context.close();
    }
  },
});
