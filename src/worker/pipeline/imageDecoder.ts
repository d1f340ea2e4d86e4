import { type DecodeOptions, decodeImage, type Pixels } from '../decode/decode.ts';
import type { LoadedModel } from '../model/loadModel.ts';
import type { PipelineSettings } from './pipelineSettings.ts';

/** An image file's bytes as pixels of the model's size. @throws an `IMAGE_` code, DECODE_TIMEOUT */
export type DecodeImage = (bytes: Uint8Array) => Promise<Pixels>;

export type DecodeLimits = Pick<PipelineSettings, 'imagePixelsMax' | 'decodeTimeoutMs' | 'truncated'>;

/** The one place where images are decoded, for worker, library and commands: as the model wants them, within the limits. */
export function createImageDecoder(
  { preprocessing, decoding }: Pick<LoadedModel, 'preprocessing' | 'decoding'>,
  { imagePixelsMax, decodeTimeoutMs, truncated }: DecodeLimits,
): DecodeImage {
  const options: DecodeOptions = {
    pixelsMax: imagePixelsMax,
    timeoutMs: decodeTimeoutMs,
    truncated,
    ...decoding,
  };
  return (bytes) => decodeImage(bytes, preprocessing, options);
}
