export { type OpenSourceOptions, openSource } from './openSource.ts';
export { type Address, rootAddress } from './producer/address.ts';
export type { AddOptions, OpenRun } from './producer/openRun.ts';
export {
  createProducer,
  newRunId,
  type OpenRunOptions,
  type Producer,
  type ProducerOptions,
} from './producer/producer.ts';
export type { RunProgress, WaitOptions } from './producer/runProgress.ts';
export { ClipfleetError, type ErrorCode, errorTable } from './shared/errors.ts';
export type { ImageRef } from './shared/imageRef.ts';
export { defineLabelSet, type LabelSet, type LabelSetInput, labelSetId } from './shared/labelSet.ts';
export type { LaneKind } from './shared/lanes.ts';
export type { Prediction } from './shared/prediction.ts';
export { connectRedis, type RedisAddress } from './shared/redis.ts';
export type { ResultsStore } from './shared/resultsStore.ts';
export type { PublicRow as Row } from './shared/row.ts';
export type { Run } from './shared/run.ts';
