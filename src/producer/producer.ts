import type { Redis } from 'ioredis';
import { ClipfleetError } from '../shared/errors.ts';
import { openLaneQueue } from '../shared/fleet/laneQueue.ts';
import { laneKinds, laneName } from '../shared/fleet/lanes.ts';
import { DEFAULT_DTYPE, parseIdentity } from '../shared/fleet/modelIdentity.ts';
import { servedNow } from '../shared/fleet/models.ts';
import { tellOncePerKind } from '../shared/fleet/tellErrors.ts';
import { type LabelSet, labelSetId } from '../shared/labels/labelSet.ts';
import { validLabelSet } from '../shared/labels/labelSetSchema.ts';
import { storeLabelSet } from '../shared/labels/storedLabelSet.ts';
import { defaultOf } from '../shared/options/config.ts';
import { keysUnder } from '../shared/redis/keys.ts';
import { connectRedis } from '../shared/redis/redis.ts';
import { createRedisResultsStore } from '../shared/rows/redisResultsStore.ts';
import { type LabeledRow, noLabelSet, publicRow } from '../shared/rows/row.ts';
import { runIdSchema } from '../shared/runs/chunkJob.ts';
import type { Run } from '../shared/runs/run.ts';
import { createRunControl } from '../shared/runs/runControl.ts';
import { cancelledRun, readingRun } from '../shared/runs/runErrors.ts';
import { createRuns } from '../shared/runs/runs.ts';
import { checkLabels, type LabelsChecked, type LabelsToCheck } from './answers/checkLabels.ts';
import { createEmbedder } from './answers/embed.ts';
import { createAnswers, type LabelOneOptions } from './answers/labelOne.ts';
import { createFleetView } from './fleet/fleetView.ts';
import type {
  OpenRunOptions,
  ProducerAddress,
  ProducerOptions,
  ProducerSettings,
} from './producerOptions.ts';
import { createRunManager } from './runs/manageRuns.ts';
import { keepVectorsIn, newRunId, openRecord } from './runs/newRun.ts';
import { createOpenRun, type OpenRun } from './runs/openRun.ts';
import { createRowReader } from './runs/rowReader.ts';
import {
  type RunProgress,
  readLedger,
  readProgress,
  type WaitOptions,
  waitForRun,
} from './runs/runProgress.ts';

export type { OpenRunOptions, ProducerAddress, ProducerOptions } from './producerOptions.ts';
export { newRunId } from './runs/newRun.ts';

/**
 * Opens runs on a Redis that workers listen to, and reads what came of them.
 *
 * @throws USAGE where neither a connection nor an address is given; with an address what `connectRedis` throws
 */
export function createProducer(options: ProducerOptions): Producer;
export function createProducer(options: ProducerAddress): Promise<Producer>;
export function createProducer(options: ProducerOptions | ProducerAddress): Producer | Promise<Producer> {
  if (options.redis) return producerOn(options.redis, options);
  if (options.url) return connectProducer(options);
  const message = 'Expected `redis`, a connection of ioredis, or `url`, the address of a Redis; got neither.';
  throw new ClipfleetError('USAGE', message);
}

async function connectProducer({ url, ...settings }: ProducerAddress): Promise<Producer> {
  const redis = await connectRedis({ url });
  const tell = tellOncePerKind(settings.onError);
  redis.on('error', tell);
  return producerOn(redis, { ...settings, onError: tell }, () => redis.disconnect());
}

/** @param end what ends the connection where it is the producer's own */
function producerOn(redis: Redis, options: ProducerSettings, end = () => {}) {
  const { prefix = defaultOf('prefix'), store: given } = options;
  const keys = keysUnder(prefix);
  const runs = createRuns(redis, keys);
  const store = given ?? createRedisResultsStore(redis, keys);
  const control = createRunControl(redis, keys);

  const tell = tellOncePerKind(options.onError);
  const openLane = (name: string) => openLaneQueue(name, { redis, prefix, onError: tell });
  const answers = createAnswers({ redis, openLane, keys, runs, store, control });
  const manager = createRunManager({ redis, prefix, openLane, runs, store, control });

  const openOf = (record: Run): OpenRun =>
    createOpenRun(record, { redis, queue: openLane(record.lane), runs, store });

  async function labelSetNamed({ labelSet, keepEmbeddings, expireAfterMs }: OpenRunOptions): Promise<string> {
    if (labelSet) return storeLabelSet(redis, keys, validLabelSet(labelSet), expireAfterMs);
    if (keepEmbeddings !== undefined) return noLabelSet;
    const message = 'Expected a label set, or a place to keep vectors, got neither.';
    throw new ClipfleetError('USAGE', message);
  }

  return {
    runs,
    store,
    control,
    ...manager,
    ...createRowReader({ redis, keys, runs, store }),
    ...createEmbedder({ redis, keys, answers }),
    ...createFleetView({ redis, keys, prefix, control }),
    /** Stores the label set under its id, once; the same set again changes nothing. */
    putLabelSet: (labelSet: LabelSet): Promise<string> => storeLabelSet(redis, keys, labelSet),

    /**
     * Opens a run: a new one where no id is given, whatever ids there are.
     *
     * @throws USAGE for an id, model or lane that is none, LABEL_SET_INVALID, RUN_MISMATCH when the run exists with another model, label set or place of vectors, STORE_MISMATCH
     * with another store, RUN_BUSY
     * when one that must be new exists
     */
    async openRun(options: OpenRunOptions): Promise<OpenRun> {
      const { model, lane = 'bulk' } = options;
      const valid = runIdSchema.optional().safeParse(options.run);
      if (!valid.success)
        throw new ClipfleetError('USAGE', `${valid.error.issues[0]?.message}, got '${options.run}'.`);
      if (!parseIdentity(model)) {
        const message = `Expected a model as name@revision:dtype, got '${model}': servedModel() finds it by its name.`;
        throw new ClipfleetError('USAGE', message);
      }
      if (!laneKinds.includes(lane))
        throw new ClipfleetError('USAGE', `Expected a lane of ${laneKinds.join(', ')}, got '${lane}'.`);
      const labelSet = await labelSetNamed(options);
      const name = options.privateLane ?? laneName(lane, model);
      const record = await openRecord(runs, options, {
        model,
        labelSet,
        lane: name,
        store: store.name,
        storeAddress: store.address,
        expireAfterMs: options.expireAfterMs,
      });
      const { run, birth, expiresAt } = record;
      if (birth !== undefined) await store.bear({ run, birth, expiresAt });
      const { maxFailureRate, source, keepEmbeddings, relabels, thresholds } = options;
      if (relabels !== undefined) await control.setRelabels(run, relabels);
      if (keepEmbeddings !== undefined) await keepVectorsIn(keepEmbeddings, record, control);
      if (maxFailureRate !== undefined) await control.setMaxFailureRate(run, maxFailureRate);
      if (source !== undefined) await control.setSource(run, source);
      if (thresholds !== undefined) await control.setThresholds(run, thresholds);
      return openOf(record);
    },

    /** A run that was opened before, for more images. @throws RUN_UNKNOWN, RUN_SEALED, RUN_CANCELLED, STORE_MISMATCH */
    async continueRun(run: string): Promise<OpenRun> {
      const record = await readLedger({ runs, store }, run);
      if (record.state === 'open') return openOf(record);
      if (record.state === 'cancelled') throw cancelledRun(run);
      throw new ClipfleetError('RUN_SEALED', `Run '${run}' is sealed: open another for more images.`);
    },

    /**
     * The row of one image, asked for now: it overtakes bulk runs. It becomes a run of its own, which expires.
     *
     * @param uri where its bytes are, or a `data:` URL of them
     * @throws ANSWER_TIMEOUT, LABEL_SET_INVALID, and the signal's reason at once
     */
    async labelOne(uri: string, options: LabelOneOptions): Promise<LabeledRow> {
      const { model, labelSet: _, ...told } = options;
      const labelSet = validLabelSet(options.labelSet);
      const run = newRunId();
      const row = await answers.labelOne({ model, labelSet, run, uri }, told);
      return publicRow(row, { run, model, labelSet: labelSetId(labelSet) }, labelSet.labels) as LabeledRow;
    },

    /**
     * Whether a worker that serves the model can encode the labels: to be asked before images are added. It is encoded then, and kept for the run to come.
     *
     * @throws the code with which the model refuses the labels (LABEL_NOT_EMBEDDED, ...), and the signal's reason
     */
    checkLabels: (asked: LabelsToCheck): Promise<LabelsChecked> =>
      checkLabels({ redis, keys, runs, store, send: answers.send, ...manager }, asked),

    /** Images that wait in the interactive lane of a model. */
    waitingNow: (model: string): Promise<number> => answers.waiting(model),

    /** Ends what single images need, and a connection of the producer's own. */
    async close(): Promise<void> {
      await answers.close();
      end();
    },

    /** The identity of the model that workers serve under this name now. @throws MODEL_NOT_FOUND */
    async servedModel(model: string, options: { revision?: string; dtype?: string } = {}): Promise<string> {
      const { revision = defaultOf('revision'), dtype = DEFAULT_DTYPE } = options;
      const identity = await servedNow(redis, keys, { model, revision, dtype });
      if (identity) return identity;
      const message = `Expected a worker on this Redis that serves ${model} as ${dtype}, found none: start one.`;
      throw new ClipfleetError('MODEL_NOT_FOUND', message);
    },

    /** Where the run is. @throws RUN_UNKNOWN */
    progress: (run: string): Promise<RunProgress> =>
      readingRun(run, () => readProgress({ runs, store }, run)),

    /** Resolves when the run is complete or cancelled: `complete` says which. @throws RUN_UNKNOWN, and the signal's reason */
    waitFor: (run: string, options?: WaitOptions): Promise<RunProgress> =>
      readingRun(run, () => waitForRun({ runs, store }, run, options)),
  };
}

export type Producer = ReturnType<typeof producerOn>;
