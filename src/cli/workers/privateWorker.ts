import type { LoadedModel } from '../../worker/model/loadModel.ts';
import { type RunningWorker, startWorker } from '../../worker/worker.ts';
import type { WorkerSettings } from '../../worker/workerSettings.ts';
import type { Context } from '../setup/context.ts';

/** What holds the worker up, looked at anew every few seconds; undefined before the first look. */
export function sampleBottleneck({ takeReport }: RunningWorker): () => string | undefined {
  let sampledAt = Date.now();
  let sampled: string | undefined;
  return () => {
    if (Date.now() - sampledAt < SAMPLE_MS) return sampled;
    sampledAt = Date.now();
    sampled = takeReport().bottleneck;
    return sampled;
  };
}

const SAMPLE_MS = 2_000;

/** A worker for one private lane in this process; it reads every path that its user may. */
export function startPrivateWorker(
  { producer, redis, prefix, log }: Context,
  model: LoadedModel,
  lane: string,
  config: WorkerSettings,
  onBatch?: (images: number) => void,
): RunningWorker {
  const { store, runs } = producer;
  const lanes = [{ name: lane, urgent: false }];
  const context = {
    redis,
    prefix,
    log,
    model,
    store,
    runs,
    lanes,
    roots: new Map<string, string>(),
    trustPaths: true,
  };
  return startWorker(onBatch ? { ...context, onBatch } : context, config);
}
