import { type Decoders, type DecodersOptions, openDecoders } from '../decoders/decoders.ts';
import type { LoadedModel } from '../model/loadModel.ts';
import type { PipelineSettings } from './pipelineSettings.ts';

type DecodeSettings = Pick<
  PipelineSettings,
  | 'decoders'
  | 'pixelsAtOnce'
  | 'decodeMemoryMax'
  | 'imagePixelsMax'
  | 'imageSideMax'
  | 'imageScansMax'
  | 'fetchTimeoutMs'
  | 'decodeTimeoutMs'
  | 'truncated'
>;

/** The decoders of a pipeline, as the model wants images and within the limits of the settings. */
export function openPipelineDecoders(
  { preprocessing, decoding }: Pick<LoadedModel, 'preprocessing' | 'decoding'>,
  {
    files,
    onBegin,
    onEnded,
    vectorCache,
  }: Pick<DecodersOptions, 'files' | 'onBegin' | 'onEnded' | 'vectorCache'>,
  settings: DecodeSettings,
): Decoders {
  const { truncated, decoders, imagePixelsMax, imageSideMax, imageScansMax, ...limits } = settings;
  return openDecoders({
    preprocessing,
    decoding: { truncated, ...decoding },
    files,
    vectorCache,
    decoders,
    limits: { ...limits, pixelsMax: imagePixelsMax, sideMax: imageSideMax, scansMax: imageScansMax },
    ...(onBegin && { onBegin }),
    ...(onEnded && { onEnded }),
  });
}
