import { defaultOf } from './shared/options/config.ts';
import type { DecodeOptions, Pixels } from './worker/decode/decode.ts';
import { type Decoders, type ImageLimits, openDecoders, pixelsOf } from './worker/decoders/decoders.ts';
import type { HubOptions } from './worker/hub/hub.ts';
import { findModel, type LoadedModel, startModel } from './worker/model/loadModel.ts';
import { planSession, type SessionPlan } from './worker/model/sessionPlan.ts';
import type { Dtype } from './worker/onnx/dtype.ts';
import { imageBytesOf } from './worker/resize/resample.ts';
import type { Settings } from './worker/session/tuned.ts';

export interface OpenModelOptions
  extends Pick<DecodeOptions, 'truncated' | 'cropRounding' | 'exif'>,
    ImageLimits,
    Partial<Settings> {
  /** Name on the Hub (`owner/name`) or a directory: a checkpoint, or an ONNX export. */
  model: string;
  /** Branch, tag or commit of a model of the Hub; `main` when absent. */
  revision?: string;
  /** Precision, as `--dtype`; `fp32` when absent, but on a GPU a checkpoint in float16 is computed as it is stored. */
  dtype?: Dtype;
  /** `cpu`, `cuda`, `tensorrt`, `webgpu`, `coreml`, `dml`, of several `cuda:1`; a GPU if there is one when absent, as `auto`. */
  device?: string;
  /**
   * Folder with what `clipfleet tune` saved and with logit scales read from the Hub; that of the command line when
   * absent: `clipfleet` in XDG_CACHE_HOME or ~/.cache.
   */
  cacheDir?: string;
  /** For a model whose files do not tell: what cosines are multiplied by, and what is added then. */
  logitScale?: number;
  logitBias?: number;
  /** Largest image file that is read. */
  imageBytesMax?: number;
  onProgress?: HubOptions['onProgress'];
  /** User-Agent of requests to the Hub; `clipfleet/VERSION` when absent. */
  userAgent?: string;
}

/** A model by hand: image processor, both towers, and how its cosines become scores. */
export interface OpenedModel extends LoadedModel, Pick<SessionPlan, 'device' | 'settings' | 'from'> {
  /** The processes that decode, started when there is something to decode. */
  decoders: Decoders;
  /** An image file's bytes as pixels of the model's size. */
  processImage(bytes: Uint8Array): Promise<Pixels>;
  /** Unit embeddings, one for each image. */
  embedImages(images: readonly Pixels[]): Promise<Float32Array[]>;
  /** Unit embeddings, one for each prompt. */
  embedTexts(prompts: readonly string[]): Promise<Float32Array[]>;
  /** Ends the session thread and the decoders. */
  close(): Promise<void>;
}

/**
 * Opens a model, from the Hub's cache or a directory, in a thread of its own.
 *
 * @throws DEVICE_UNAVAILABLE, MODEL_NOT_FOUND, MODEL_INVALID, MODEL_UNSUPPORTED, MODEL_SCALE_UNKNOWN, HUB_UNAVAILABLE,
 *   HUB_FORBIDDEN
 */
export async function openModel(options: OpenModelOptions): Promise<OpenedModel> {
  const {
    model,
    revision = defaultOf('revision'),
    device = defaultOf('device'),
    truncated = defaultOf('truncated'),
    cropRounding = defaultOf('cropRounding'),
    exif = defaultOf('exif'),
  } = options;
  const { dtype, cacheDir, logitScale, logitBias, userAgent, onProgress } = options;
  const onWarning = (warning: string) => process.emitWarning(warning, { code: 'MODEL_WARNING' });
  const files = await findModel(
    { model, revision, dtype, cropRounding, exif, userAgent },
    onProgress ? { onProgress } : {},
  );
  const { batchSize, threads, decoders } = options;
  const plan = await planSession(files, { device, batchSize, threads, decoders, cacheDir }, { onWarning });
  const loaded = await startModel(files, plan, { logitScale, logitBias, userAgent }, { onWarning });
  const { session, preprocessing } = loaded;
  const stage = openDecoders({
    preprocessing,
    decoding: { truncated, ...loaded.decoding },
    // A path is what its user typed.
    files: {
      roots: new Map(),
      trustPaths: true,
      bytesMax: options.imageBytesMax ?? defaultOf('imageBytesMax'),
    },
    decoders: plan.settings.decoders,
    limits: options,
  });

  return {
    ...loaded,
    device: plan.device,
    settings: plan.settings,
    from: plan.from,
    decoders: stage,
    processImage: async (bytes) => pixelsOf(await stage.decode({ bytes })),

    async embedImages(images) {
      const imageBytes = imageBytesOf(preprocessing);
      const pixels = new Uint8Array(images.length * imageBytes);
      images.forEach(({ data }, i) => {
        pixels.set(data, i * imageBytes);
      });
      return rows(await session.embedImages(pixels, images.length), session.dimensions);
    },

    async embedTexts(prompts) {
      return rows((await session.embedTexts(prompts)).embeddings, session.dimensions);
    },

    async close() {
      await stage.close();
      await session.close();
    },
  };
}

function rows(matrix: Float32Array, length: number): Float32Array[] {
  return Array.from({ length: matrix.length / length }, (_, i) => matrix.slice(i * length, (i + 1) * length));
}
