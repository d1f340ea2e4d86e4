export type {
  AddedImage,
  AddImagesOptions,
  CallOptions,
  ClassifyCallOptions,
  Client,
  ClientRun,
  EndOptions,
  NewRunOptions,
  ResultsOptions,
} from './client/client.ts';
export { createClient, type GatewayClient, type RedisClient } from './client/createClient.ts';
export type { RunProgress } from './producer/runs/runProgress.ts';
export { ClipfleetError, type ErrorCode, errorTable } from './shared/errors.ts';
export { defineLabelSet, type LabelSet, type LabelSetInput, labelSetId } from './shared/labels/labelSet.ts';
export type { ImageRef } from './shared/refs/imageRef.ts';
export type { Prediction } from './shared/rows/prediction.ts';
export type { PublicRow as Row } from './shared/rows/row.ts';
