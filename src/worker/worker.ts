import type { Redis } from 'ioredis';
import type { WorkReport } from '../shared/fleet/servingWorkers.ts';
import type { Logger } from '../shared/log.ts';
import { keysUnder } from '../shared/redis/keys.ts';
import type { ResultsStore } from '../shared/rows/resultsStore.ts';
import { createRunControl } from '../shared/runs/runControl.ts';
import type { Runs } from '../shared/runs/runs.ts';
import { createConsume } from './jobs/consume.ts';
import { createFailureBudget } from './jobs/failureBudget.ts';
import { openLane } from './jobs/lane.ts';
import { createLaneShare } from './jobs/shareLane.ts';
import { createWorkInHand } from './jobs/workInHand.ts';
import { createLabelMatrices } from './labels/labelMatrices.ts';
import type { LoadedModel } from './model/loadModel.ts';
import { openImageLine } from './pipeline/pipeline.ts';
import type { WorkerSettings } from './workerSettings.ts';

export interface WorkerContext {
  redis: Redis;
  prefix: string;
  store: ResultsStore;
  runs: Runs;
  model: LoadedModel;
  /** Lanes of the model; an urgent one's images overtake. */
  lanes: readonly { name: string; urgent: boolean }[];
  roots: Map<string, string>;
  /** Read any path, as `clipfleet label` does for the user who typed it. */
  trustPaths: boolean;
  log: Logger;
  /** Told of each batch as it starts. */
  onBatch?: (images: number) => void;
  /** Told of the prompts of each text batch as it starts. */
  onTextBatch?: (prompts: number) => void;
}

export interface RunningWorker {
  /** Rejects when the session or the scoring thread is gone: the process should end, so that another takes the jobs. */
  died: Promise<never>;
  /** What it did since the last call, or since its start. */
  takeReport(): WorkReport;
  /** Takes no new job, finishes those it has, closes. */
  close(): Promise<void>;
}

/** Constructs the line from lane to row, and starts it. */
export function startWorker(context: WorkerContext, config: WorkerSettings): RunningWorker {
  const { redis, prefix, store, runs, model, lanes, log } = context;
  const { batchSize, newerGraceMs, hostPatienceMs } = config;
  const keys = keysUnder(prefix);
  const line = openImageLine({ ...context, keys }, config);
  const { imagesInFlight, times } = line;
  const labelMatrices = createLabelMatrices({
    redis,
    keys,
    fingerprint: model.fingerprint,
    embedTexts: (prompts) => model.session.embedTexts(prompts, context.onTextBatch),
    leaseMs: config.lockMs,
  });
  const control = createRunControl(redis, keys);
  const share = createLaneShare(redis, keys);
  const consume = createConsume({
    store,
    runs,
    workInHand: createWorkInHand({
      control,
      isShareWanted: share.isWanted,
      onError: (error) => log.error({ err: error }, 'looking after the work in hand'),
    }),
    checkFailures: createFailureBudget({ runs, store, control, log }),
    batchSize,
    labelMatrices,
    classify: line.classify,
    model: model.identity,
    fingerprint: model.fingerprint,
    newerGraceMs,
    times,
    hostPatienceMs,
    log,
  });
  const { waiting } = line;
  const opened = lanes.map((lane) =>
    openLane(lane, { ...context, consume, share, imagesInFlight, waiting }, config),
  );
  return {
    died: line.died,
    takeReport: times.takeReport,
    async close() {
      await Promise.all(opened.map((lane) => lane.close()));
      await line.close();
    },
  };
}
