import { type Config, readConfig } from '../../shared/options/config.ts';
import { hostOptions } from '../hosts/hostGate.ts';
import type { Settings } from '../session/tuned.ts';

/** The settings that the way of an image depends on, from its ref to its ranked labels. */
export const pipelineOptions = [
  'batchSize',
  'imagesInFlight',
  'decoders',
  'pixelsAtOnce',
  'decodeMemoryMax',
  'embeddingCache',
  'embeddingCacheDir',
  'embeddingCacheDirBytes',
  'inferenceTimeoutMs',
  'imageBytesMax',
  'imagePixelsMax',
  'imageSideMax',
  'imageScansMax',
  'fetchTimeoutMs',
  'decodeTimeoutMs',
  'truncated',
  'redirectsMax',
  'allowPrivateAddresses',
  'userAgent',
  ...hostOptions,
] as const;

/** Where uploads are read, for workers of a fleet; none are read when absent. */
export type GatewaySettings = Partial<Config<'gateway' | 'gatewayKey'>>;

/** The settings of the option table where nothing is said, for those who have no command line. */
export function defaultPipelineSettings(): Config<(typeof pipelineOptions)[number]> {
  return readConfig(pipelineOptions, {}, {});
}

/** The pipeline's settings, with those that depend on the machine resolved. */
export type PipelineSettings = Config<(typeof pipelineOptions)[number]> &
  Pick<Settings, 'batchSize' | 'decoders'>;
