import { hostname } from 'node:os';
import { listOptions, openSource, remoteOptions } from '../../openSource.ts';
import { createLeftOut } from '../../producer/images/leftOut.ts';
import type { Settled } from '../../producer/runs/chunkSender.ts';
import { refuseTooLarge } from '../../producer/runs/redisRoom.ts';
import { type Address, rootAddress } from '../../producer/sources/address.ts';
import { begin } from '../../shared/begin.ts';
import { parseIdentity } from '../../shared/fleet/modelIdentity.ts';
import { servedIdentity } from '../../shared/fleet/models.ts';
import { listServing } from '../../shared/fleet/servingWorkers.ts';
import { keysUnder } from '../../shared/redis/keys.ts';
import type { ImageRef } from '../../shared/refs/imageRef.ts';
import { parseRoots, parseRootUri } from '../../shared/refs/roots.ts';
import type { ModelChoice } from '../../worker/model/loadModel.ts';
import { addChanged, checkChanged } from '../setup/changedFiles.ts';
import { createCommand } from '../setup/commandOptions.ts';
import { type Context, contextOptions, openContext } from '../setup/context.ts';
import { labelSetForRun } from '../setup/continuedRun.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import { budgetOf } from '../setup/failureBudgetFlag.ts';
import { labelOptions, labelSetOf, thresholdsGiven } from '../setup/labels.ts';
import { rootFaults, rootOfUri } from '../setup/servedRoots.ts';
import { onInterrupt, unlessInterrupted } from '../terminal/interrupt.ts';
import { createLossRepair } from '../terminal/lostImages.ts';
import { sayLeftOut, warnOfLikeLabels, warnOfRoots } from '../terminal/notices.ts';
import { refuseLabels } from '../terminal/refuseLabels.ts';
import { sayPersistence } from '../terminal/sayPersistence.ts';
import { saySettled } from '../terminal/settledLines.ts';

export const enqueueCommand = createCommand({
  examples: [
    'clipfleet enqueue pictures --labels "fox,bear,owl"',
    'clipfleet enqueue /data/photos --root photos=/data/photos --labels-file names.txt --model models/demo',
    'clipfleet enqueue "s3://bucket/shards/{000..150}.tar" --labels-file names.txt',
    'clipfleet results $(clipfleet enqueue pictures --labels "cat,dog") --format jsonl',
  ],
  options: [
    ...labelOptions,
    'run',
    'changed',
    'keepEmbeddings',
    'model',
    'revision',
    'dtype',
    'cropRounding',
    'exif',
    'root',
    ...listOptions,
    ...remoteOptions,
    'chunkSize',
    'highWater',
    'attempts',
    'maxFailureRate',
    'graceMs',
    ...contextOptions,
  ] as const,
  oneOf: ['labels', 'labelsFile'],
  async run(paths, config) {
    checkChanged(config);
    warnOfLikeLabels(await labelSetOf(config));
    const { keepEmbeddings } = config;
    if (keepEmbeddings !== undefined) parseRootUri(keepEmbeddings);
    const leftOut = createLeftOut();
    const cwd = process.cwd();
    const roots = parseRoots(config.root ?? [], cwd);
    const used = new Set<string>();
    const toUri = rootAddress(roots, cwd);
    const address: Address = (path, givenAs) => {
      const uri = toUri(path, givenAs);
      used.add(rootOfUri(uri) ?? '');
      return uri;
    };
    const open = (onLeftOut?: (name: string) => void) =>
      openSource(paths, {
        ...config,
        cwd,
        address,
        ...(onLeftOut && { onLeftOut }),
      });
    const refs = await begin(open(leftOut.add));
    sayLeftOut(leftOut, ' so far');
    const context = await openContext(config);
    const interrupt = onInterrupt('ending after the chunks at hand.', config);
    try {
      await sayPersistence(context.redis);
      const model = await identityOf(config, context);
      const { producer, redis } = context;
      const workers = await listServing(redis, keysUnder(context.prefix), model);
      warnOfRoots(rootFaults(used, roots, workers, hostname()));
      const labelSet = await labelSetForRun(config, context);
      const rows = config.run ? (await producer.store.counts(config.run)).classified : 0;
      if (!paths.includes('-'))
        await refuseTooLarge(() => open(), {
          ...config,
          redis,
          labelSet,
          rows,
          rowsHere: config.store === undefined,
        });
      if (!(await refuseLabels(context, { model, labelSet }, interrupt.signal))) return exitCodes.interrupted;
      const openRun = await producer.openRun({
        model,
        labelSet,
        ...(config.run !== undefined && { run: config.run }),
        source: paths.join(' '),
        ...(await thresholdsGiven(config, labelSet)),
        ...(keepEmbeddings !== undefined && { keepEmbeddings }),
        ...budgetOf(config, !config.run || (await producer.runs.get(config.run)) === undefined),
      });
      const { run } = openRun;
      process.stdout.write(`${run}\n`);
      let added = 0;
      const onAdded = (images: number) => {
        added += images;
      };
      const onSettled = (settled: Settled) => saySettled(settled, 'their images come again from the source');
      const { signal } = interrupt;
      // Standard input cannot be read twice.
      const repair = createLossRepair(run, paths.includes('-') ? undefined : () => open());
      const ended = await unlessInterrupted(signal, async () => {
        await addChanged(context, run, { ...config, roots, signal });
        for (let from: AsyncIterable<ImageRef> = refs; ; ) {
          await openRun.add(from, { ...config, signal, onAdded, onSettled });
          await openRun.seal();
          const missing = await openRun.confirm({ signal });
          if (missing === 0) return;
          added -= missing;
          from = repair(missing);
        }
      });
      await openRun.close();
      process.stderr.write(`${added} images added for ${model}\n`);
      sayLeftOut(leftOut);
      if (ended) return exitCodes.classified;
      process.stderr.write(`Interrupted: continue with the same command and --run ${run}\n`);
      return exitCodes.interrupted;
    } finally {
      interrupt.stop();
      await context.close();
    }
  },
});

/**
 * A producer needs the model's identity only: from the text itself, from the workers that serve a model of the name, or
 * from the model's files or the Hub.
 */
async function identityOf(choice: ModelChoice, { redis, prefix }: Context): Promise<string> {
  if (parseIdentity(choice.model)) return choice.model;
  const served = await servedIdentity(redis, keysUnder(prefix), choice);
  if (served !== undefined) return served;
  const { findIdentity } = await import('../../worker/model/loadModel.ts');
  return findIdentity(choice);
}
