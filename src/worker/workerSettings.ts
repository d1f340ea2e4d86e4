import type { Config } from '../shared/config.ts';
import { hostOptions } from './hostGate.ts';
import type { Settings } from './tuned.ts';

/** The settings a worker reads. */
export const workerOptions = [
  'batchSize',
  'imagesInFlight',
  'decodeThreads',
  'embeddingCache',
  'imageBytesMax',
  'imagePixelsMax',
  'fetchTimeoutMs',
  'decodeTimeoutMs',
  'truncated',
  'redirectsMax',
  'allowPrivateAddresses',
  'userAgent',
  ...hostOptions,
  'lockMs',
  'stalledMax',
  'newerGraceMs',
] as const;

/** The settings of a worker, with those that depend on the machine resolved. */
export type WorkerSettings = Config<(typeof workerOptions)[number]> &
  Pick<Settings, 'batchSize' | 'decodeThreads'>;
