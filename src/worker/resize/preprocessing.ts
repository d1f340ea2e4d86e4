import { z } from 'zod';
import { ClipfleetError } from '../../shared/errors.ts';

/** Changes whenever this code gives other pixels for the same file, so that old embeddings are not taken for new ones. */
export const PREPROCESSING_VERSION = '2';

/** Pillow's resampling filters, by the codes `preprocessor_config.json` carries (PIL.Image.Resampling). */
const resampleCodes = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'] as const;

export type Resample = (typeof resampleCodes)[number];

/** A width and a height in pixels. */
export interface Size {
  width: number;
  height: number;
}

/** What a model wants of an image, the same for every image: resize, crop the centre, then scale the numbers. */
export interface Preprocessing {
  version: string;
  /** Either the shorter side gets this length and the other follows, or both are stretched to a given size. */
  resize: { shortestEdge: number } | Size;
  resample: Resample;
  crop: Size | undefined;
  /** Size of the pixels that come out. */
  width: number;
  height: number;
  /** What a grey level is multiplied by: 1/255, or 1 where the model does not rescale. */
  rescaleFactor: number;
  /** Per channel, in the order red, green, blue; undefined where the model does not normalise. */
  normalize: { mean: Channels; std: Channels } | undefined;
}

export type Channels = readonly [number, number, number];

/** What a processor takes for a missing key. */
interface Defaults {
  size: NonNullable<Config['size']>;
  resample: Resample;
  crops: boolean;
  mean: Channels;
  std: Channels;
  /** Whether a bare number as `size` means a square, or the shorter side. */
  intIsSquare: boolean;
}

const clip: Defaults = {
  size: { shortest_edge: 224 },
  resample: 'bicubic',
  crops: true,
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
  intIsSquare: false,
};
const half: Channels = [0.5, 0.5, 0.5];
const size = { height: 224, width: 224 };
const siglip: Defaults = {
  size,
  resample: 'bicubic',
  crops: false,
  mean: half,
  std: half,
  intIsSquare: false,
};
const vit: Defaults = { ...siglip, resample: 'bilinear', intIsSquare: true };

/** By the first part of the processor's name; the values are the class attributes of transformers 5.23. */
const families = new Map([
  ['CLIP', clip],
  ['ChineseCLIP', clip],
  ['Bit', clip],
  ['Siglip', siglip],
  ['ViT', vit],
]);

/** What a configuration that names no processor belongs to, by the model's `model_type`. */
const familyOfModel = new Map([
  ['siglip', 'Siglip'],
  ['siglip2', 'Siglip'],
  ['chinese_clip', 'ChineseCLIP'],
]);

const side = z.int().min(1).max(4096);
/** As an object, or as a list, height first (`get_size_dict` of transformers). */
const rectangle = z.union([
  z.strictObject({ height: side, width: side }),
  z.tuple([side, side]).transform(([height, width]) => ({ height, width })),
]);
const channels = z
  .tuple([z.number(), z.number(), z.number()])
  .or(z.number().transform((value): Channels => [value, value, value]))
  .readonly();

const configSchema = z.object({
  image_processor_type: z.string().nullish(),
  feature_extractor_type: z.string().nullish(),
  size: z.union([side, rectangle, z.strictObject({ shortest_edge: side })]).nullish(),
  resample: z.int().min(0).max(5).nullish(),
  crop_size: z.union([side, rectangle]).nullish(),
  do_resize: z.boolean().nullish(),
  do_center_crop: z.boolean().nullish(),
  do_rescale: z.boolean().nullish(),
  rescale_factor: z.number().positive().nullish(),
  do_normalize: z.boolean().nullish(),
  image_mean: channels.nullish(),
  image_std: channels.nullish(),
});

type Config = z.infer<typeof configSchema>;

/** Keys that change pixels in ways this code does not know. */
const foreignKeys = ['max_num_patches', 'do_pad', 'do_align_long_axis', 'crop_pct', 'rescale_offset'];

/**
 * A model's `preprocessor_config.json`, parsed, as what is to be done to an image.
 *
 * Missing keys take the defaults of the processor that the file names (as transformers does); `modelType`, the
 * `model_type` of `config.json`, decides where it names none.
 *
 * Throws MODEL_UNSUPPORTED for a processor, or a combination, whose pixels would differ from the reference's.
 */
export function parsePreprocessing(json: unknown, modelType = 'clip'): Preprocessing {
  const parsed = configSchema.safeParse(json);
  if (!parsed.success) throw unsupported(z.prettifyError(parsed.error));
  refuseForeignKeys(json as Record<string, unknown>);

  const config = parsed.data;
  const defaults = defaultsOf(config, modelType);
  const resize = resizeOf(config.size ?? defaults.size, defaults.intIsSquare);
  const crop = (config.do_center_crop ?? defaults.crops) ? cropOf(config.crop_size ?? 224) : undefined;
  if (config.do_resize === false) throw unsupported('do_resize is false, but batches need one size');
  const { width, height } = finalSize(resize, crop);

  const mean = config.image_mean ?? defaults.mean;
  const std = config.image_std ?? defaults.std;
  if (std.includes(0)) throw unsupported('image_std holds a zero');
  const code = config.resample;
  return {
    version: PREPROCESSING_VERSION,
    resize,
    resample: typeof code === 'number' ? resampleCodes[code]! : defaults.resample,
    crop,
    width,
    height,
    rescaleFactor: config.do_rescale === false ? 1 : (config.rescale_factor ?? 1 / 255),
    normalize: config.do_normalize === false ? undefined : { mean, std },
  };
}

function refuseForeignKeys(json: Record<string, unknown>): void {
  for (const key of foreignKeys) {
    const value = json[key];
    if (value !== undefined && value !== null && value !== false) {
      throw unsupported(`${key} is ${JSON.stringify(value)}`);
    }
  }
}

/** `CLIPImageProcessor`, `CLIPImageProcessorFast` and `CLIPFeatureExtractor` are the same thing at three ages. */
function defaultsOf(config: Config, modelType: string): Defaults {
  const type = config.image_processor_type ?? config.feature_extractor_type;
  const family =
    type?.replace(/(ImageProcessor(Fast|Pil)?|FeatureExtractor)$/, '') ?? familyOfModel.get(modelType);
  const defaults = families.get(family ?? 'CLIP');
  if (defaults === undefined) {
    throw unsupported(`the processor is ${type}, and known are those of ${[...families.keys()].join(', ')}`);
  }
  return defaults;
}

function resizeOf(size: NonNullable<Config['size']>, intIsSquare: boolean): Preprocessing['resize'] {
  if (typeof size === 'number') return intIsSquare ? { width: size, height: size } : { shortestEdge: size };
  return 'shortest_edge' in size ? { shortestEdge: size.shortest_edge } : size;
}

function cropOf(size: number | Size): Size {
  return typeof size === 'number' ? { width: size, height: size } : size;
}

function finalSize(resize: Preprocessing['resize'], crop: Size | undefined): Size {
  if ('shortestEdge' in resize && crop === undefined) {
    throw unsupported('size is a shortest edge without a centre crop, but batches need one size');
  }
  const least =
    'shortestEdge' in resize ? { width: resize.shortestEdge, height: resize.shortestEdge } : resize;
  if (crop && (crop.width > least.width || crop.height > least.height)) {
    throw unsupported(`a crop of ${crop.width} x ${crop.height} is larger than the resized image`);
  }
  return crop ?? least;
}

function unsupported(fault: string): ClipfleetError {
  return new ClipfleetError(
    'MODEL_UNSUPPORTED',
    `preprocessor_config.json asks for something whose pixels cannot be made equal to the reference's: ${fault}. ` +
      'Take a model with fixed-size CLIP or SigLIP preprocessing.',
  );
}
