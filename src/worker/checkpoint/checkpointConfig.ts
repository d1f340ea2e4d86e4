import { z } from 'zod';
import { ClipfleetError } from '../../shared/errors.ts';

/** Activations by their names in transformers' `ACT2FN`; `gelu_new` and `gelu_pytorch_tanh` are one formula. */
const activations = ['quick_gelu', 'gelu', 'gelu_pytorch_tanh', 'gelu_new'] as const;

export type Activation = (typeof activations)[number];

/** One tower's part of a `config.json`, with transformers' defaults for what it leaves out. */
export interface TowerConfig {
  num_hidden_layers: number;
  num_attention_heads: number;
  hidden_act: Activation;
  layer_norm_eps: number;
}

export interface VisionConfig extends TowerConfig {
  image_size: number;
  patch_size: number;
  vision_use_head: boolean;
}

export interface TextConfig extends TowerConfig {
  eos_token_id: number;
}

/** The families whose towers are built from a checkpoint, as `model_type` names them. */
export const builtFamilies = ['clip', 'metaclip_2', 'chinese_clip', 'siglip'] as const;

export type BuiltFamily = (typeof builtFamilies)[number];

export type Side = 'vision' | 'text';

/** How a tower that was saved by itself calls its family, and which side of it it is. */
export const towerTypes: Record<string, { family: BuiltFamily; side: Side } | undefined> = {
  clip_vision_model: { family: 'clip', side: 'vision' },
  clip_text_model: { family: 'clip', side: 'text' },
  metaclip_2_vision_model: { family: 'metaclip_2', side: 'vision' },
  metaclip_2_text_model: { family: 'metaclip_2', side: 'text' },
};

interface Configs {
  vision: VisionConfig;
  text: TextConfig;
}

const clipDefaults: Configs = {
  vision: {
    num_hidden_layers: 12,
    num_attention_heads: 12,
    hidden_act: 'quick_gelu',
    layer_norm_eps: 1e-5,
    image_size: 224,
    patch_size: 32,
    vision_use_head: true,
  },
  text: {
    num_hidden_layers: 12,
    num_attention_heads: 8,
    hidden_act: 'quick_gelu',
    layer_norm_eps: 1e-5,
    eos_token_id: 49_407,
  },
};

const siglipLayers = {
  num_hidden_layers: 12,
  num_attention_heads: 12,
  hidden_act: 'gelu_pytorch_tanh',
  layer_norm_eps: 1e-6,
} as const;

/** The defaults of the classes in `configuration_{clip,metaclip_2,chinese_clip,siglip}.py` of transformers 5.24. */
const defaults: Record<BuiltFamily, Configs> = {
  clip: clipDefaults,
  metaclip_2: clipDefaults,
  chinese_clip: {
    vision: clipDefaults.vision,
    text: {
      ...clipDefaults.text,
      num_attention_heads: 12,
      hidden_act: 'gelu',
      layer_norm_eps: 1e-12,
    },
  },
  siglip: {
    vision: { ...clipDefaults.vision, ...siglipLayers, patch_size: 16 },
    text: { ...clipDefaults.text, ...siglipLayers },
  },
};

const whole = z.int().positive();

/** A side of a square, which some configurations give twice. */
const sideSchema = z
  .union([whole, z.tuple([whole, whole]).refine(([a, b]) => a === b, 'expected a square')])
  .transform((side) => (typeof side === 'number' ? side : side[0]));

const layers = {
  num_hidden_layers: whole,
  num_attention_heads: whole,
  hidden_act: z.enum(activations),
  layer_norm_eps: z.number().positive(),
};

const schemas: { [S in Side]: z.ZodType<Configs[S]> } = {
  vision: z.object({
    ...layers,
    image_size: sideSchema,
    patch_size: sideSchema,
    vision_use_head: z.boolean(),
  }),
  text: z.object({ ...layers, eos_token_id: z.int().nonnegative() }),
};

type Json = Record<string, unknown>;

/**
 * The configuration of one tower in a parsed `config.json`, by the rules of transformers: what is left out has the class's default, and
 * the older `text_config_dict` and `vision_config_dict` replace the newer keys as a whole. A tower that was saved by itself has its
 * configuration at the top.
 *
 * @throws MODEL_UNSUPPORTED, naming `where`, for an activation or a shape that is not built
 */
export function towerConfig<S extends Side>(
  json: { model_type: string },
  family: BuiltFamily,
  side: S,
  where: string,
): Configs[S] {
  const config = json as Json;
  const alone = towerTypes[json.model_type] !== undefined;
  const given = alone ? config : (config[`${side}_config_dict`] ?? config[`${side}_config`] ?? {});
  const parsed = schemas[side].safeParse({
    ...defaults[family][side],
    ...withoutNulls(given as Json),
  });
  if (parsed.success) return parsed.data;
  throw new ClipfleetError(
    'MODEL_UNSUPPORTED',
    `Expected a ${side}_config in ${where} of which the tower can be built, got: ${z.prettifyError(parsed.error)}`,
  );
}

function withoutNulls(json: Json): Json {
  return Object.fromEntries(
    Object.entries(json).filter(([, value]) => value !== null && value !== undefined),
  );
}
