export * from './client.ts';
export { type OpenSourceOptions, openSource } from './openSource.ts';
export type { LabelsChecked, LabelsToCheck } from './producer/answers/checkLabels.ts';
export {
  createProducer,
  newRunId,
  type OpenRunOptions,
  type Producer,
  type ProducerAddress,
  type ProducerOptions,
} from './producer/producer.ts';
export type { AddOptions, OpenRun } from './producer/runs/openRun.ts';
export type { RowsOptions } from './producer/runs/rowReader.ts';
export type { WaitOptions } from './producer/runs/runProgress.ts';
export { type Address, rootAddress } from './producer/sources/address.ts';
export type { LaneKind } from './shared/fleet/lanes.ts';
export { type ConnectOptions, connectRedis, type RedisAddress } from './shared/redis/redis.ts';
export type { ResultsStore } from './shared/rows/resultsStore.ts';
export type { Run } from './shared/runs/run.ts';
export { type OpenStoreOptions, openStore } from './shared/store/openStore.ts';
