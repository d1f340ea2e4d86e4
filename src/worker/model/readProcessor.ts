import { join } from 'node:path';
import { z } from 'zod';
import { ClipfleetError } from '../../shared/errors.ts';
import { OPEN_CLIP_CONFIG } from '../checkpoint/openClipConfig.ts';
import { type Preprocessing, parsePreprocessing } from '../resize/preprocessing.ts';
import { readJson } from './readJson.ts';

const sizeSchema = z.union([z.int().positive(), z.tuple([z.int().positive(), z.int().positive()])]);

/** open_clip's, which Immich's exports keep: `PreprocessCfg` of `open_clip/transform.py`, whose defaults are CLIP's. */
const preprocessSchema = z.object({
  size: sizeSchema.optional(),
  mean: z.tuple([z.number(), z.number(), z.number()]).optional(),
  std: z.tuple([z.number(), z.number(), z.number()]).optional(),
  // A random one is for training; otherwise it is bicubic.
  interpolation: z.enum(['bicubic', 'bilinear', 'random']).default('bicubic'),
  resize_mode: z.enum(['shortest', 'squash']).default('shortest'),
});

/** open_clip's own file. */
const openClipSchema = z.object({
  model_cfg: z.object({ vision_cfg: z.object({ image_size: sizeSchema.default(224) }) }),
  preprocess_cfg: preprocessSchema.prefault({}),
});

/** Pillow's codes of the filters that open_clip names. */
const resampleCodes = { bicubic: 3, bilinear: 2, random: 3 };

/**
 * How a model's images are prepared, and the file that says so: `processor_config.json` where it holds the image processor, as
 * transformers 5 writes it, else `preprocessor_config.json`, else open_clip's.
 *
 * @param paths of the files there are, from `dir`, the first that counts first
 * @throws MODEL_INVALID, MODEL_UNSUPPORTED
 */
export async function readProcessor(
  dir: string,
  paths: readonly string[],
  modelType: string,
): Promise<{ path: string; preprocessing: Preprocessing }> {
  for (const path of paths) {
    const file = join(dir, path);
    const json = await readJson(file, z.looseObject({}));
    if (path.endsWith('preprocess_cfg.json')) {
      const config = await readJson(file, preprocessSchema);
      return { path, preprocessing: parsePreprocessing(asProcessor(config), modelType) };
    }
    if (path === OPEN_CLIP_CONFIG) {
      const { model_cfg, preprocess_cfg } = await readJson(file, openClipSchema);
      const config = { size: model_cfg.vision_cfg.image_size, ...preprocess_cfg };
      return { path, preprocessing: parsePreprocessing(asProcessor(config), modelType) };
    }
    // Before transformers 5 the file named the processor's class and no more.
    const inside = path === 'processor_config.json' ? json.image_processor : json;
    if (inside) return { path, preprocessing: parsePreprocessing(inside, modelType) };
  }
  throw new ClipfleetError(
    'MODEL_INVALID',
    `Expected an image processor in ${paths.map((path) => join(dir, path)).join(' or ')}, got none: ` +
      'add the preprocessor_config.json of the model.',
  );
}

/** What is absent is CLIP's. */
function asProcessor({
  size = 224,
  mean,
  std,
  interpolation,
  resize_mode,
}: z.infer<typeof preprocessSchema>) {
  const [height, width] = typeof size === 'number' ? [size, size] : size;
  const common = {
    image_processor_type: 'CLIPImageProcessor',
    image_mean: mean,
    image_std: std,
    resample: resampleCodes[interpolation],
  };
  if (resize_mode === 'squash') return { ...common, size: { height, width }, do_center_crop: false };
  return {
    ...common,
    size: { shortest_edge: Math.min(height, width) },
    crop_size: { height, width },
  };
}
