import { join } from 'node:path';
import { z } from 'zod';
import { ClipfleetError } from '../../shared/errors.ts';
import { type Preprocessing, parsePreprocessing } from '../resize/preprocessing.ts';
import { readJson } from './readJson.ts';

/** open_clip's, which Immich's exports keep: see `open_clip/transform.py`. */
const openClipSchema = z.object({
  size: z.union([z.int().positive(), z.tuple([z.int().positive(), z.int().positive()])]),
  mean: z.tuple([z.number(), z.number(), z.number()]),
  std: z.tuple([z.number(), z.number(), z.number()]),
  interpolation: z.enum(['bicubic', 'bilinear']).default('bicubic'),
  resize_mode: z.enum(['shortest', 'squash']).default('shortest'),
});

/** Pillow's codes of the filters that open_clip names. */
const resampleCodes = { bicubic: 3, bilinear: 2 };

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
      const config = await readJson(file, openClipSchema);
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

function asProcessor({ size, mean, std, interpolation, resize_mode }: z.infer<typeof openClipSchema>) {
  const [height, width] = typeof size === 'number' ? [size, size] : size;
  const common = { image_mean: mean, image_std: std, resample: resampleCodes[interpolation] };
  if (resize_mode === 'squash') {
    return { ...common, image_processor_type: 'SiglipImageProcessor', size: { height, width } };
  }
  return {
    ...common,
    image_processor_type: 'CLIPImageProcessor',
    size: { shortest_edge: Math.min(height, width) },
    crop_size: { height, width },
  };
}
