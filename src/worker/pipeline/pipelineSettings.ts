import type { Config } from '../../shared/options/config.ts';
import { hostOptions } from '../hosts/hostGate.ts';
import type { Settings } from '../session/tuned.ts';

/** The settings that the way of an image depends on, from its ref to its ranked labels. */
export const pipelineOptions = [
  'batchSize',
  'imagesInFlight',
  'decodeThreads',
  'embeddingCache',
  'inferenceTimeoutMs',
  'imageBytesMax',
  'imagePixelsMax',
  'fetchTimeoutMs',
  'decodeTimeoutMs',
  'truncated',
  'redirectsMax',
  'allowPrivateAddresses',
  'userAgent',
  ...hostOptions,
] as const;

/** Those settings, with the ones that depend on the machine resolved. */
export type PipelineSettings = Config<(typeof pipelineOptions)[number]> &
  Pick<Settings, 'batchSize' | 'decodeThreads'>;
