/**
 * `open_clip_config.json`, which open_clip (https://github.com/mlfoundations/open_clip) writes beside its weights, in the terms of transformers'
 * `config.json`. Keys and defaults are those of `CLIPVisionCfg` and `CLIPTextCfg` in its `model.py`.
 */
import { z } from 'zod';
import { ClipfleetError } from '../../shared/errors.ts';

export const OPEN_CLIP_CONFIG = 'open_clip_config.json';

const whole = z.int().positive();

/** Features of open_clip's layers that are not built: absent, or switched off. */
const off = z.literal([false, null]).optional();

const layerFeatures = {
  ls_init_value: z.null().optional(),
  output_tokens: z.boolean().optional(),
  act_kwargs: z.strictObject({ approximate: z.enum(['tanh', 'none']).optional() }).nullish(),
  norm_kwargs: z.strictObject({ eps: z.number().positive().optional() }).nullish(),
  block_type: z.enum(['default']).nullish(),
  qk_norm: off,
  scaled_cosine_attn: off,
  scale_heads: off,
  scale_attn_inner: off,
  scale_attn: off,
  scale_fc: off,
};

const visionSchema = z.strictObject({
  layers: whole.default(12),
  width: whole.default(768),
  head_width: whole.default(64),
  mlp_ratio: z.number().optional(),
  patch_size: whole.default(16),
  image_size: z.union([whole, z.tuple([whole, whole])]).default(224),
  // For training alone.
  patch_dropout: z.number().optional(),
  attentional_pool: off,
  attn_pooler_queries: whole.optional(),
  attn_pooler_heads: whole.optional(),
  no_ln_pre: off,
  pos_embed_type: z.literal('learnable').optional(),
  final_ln_after_pool: z.boolean().optional(),
  pool_type: z.literal('tok').optional(),
  ...layerFeatures,
});

const textSchema = z.strictObject({
  context_length: whole.default(77),
  vocab_size: whole.optional(),
  hf_tokenizer_name: z.string().nullish(),
  width: whole.default(512),
  heads: whole.default(8),
  layers: whole.default(12),
  mlp_ratio: z.number().optional(),
  embed_cls: off,
  pad_id: z.int().optional(),
  eos_id: z.int().default(2),
  no_causal_mask: off,
  pool_type: z.enum(['argmax', 'eos']).default('argmax'),
  proj_type: z.literal('linear').optional(),
  proj_bias: off,
  final_ln_after_pool: z.boolean().optional(),
  ...layerFeatures,
});

const modelSchema = z.strictObject({
  embed_dim: whole,
  vision_cfg: visionSchema,
  text_cfg: textSchema,
  quick_gelu: z.boolean().optional(),
  custom_text: z.boolean().optional(),
  init_logit_scale: z.number().optional(),
});

type Layers = Pick<z.infer<typeof visionSchema>, 'act_kwargs' | 'norm_kwargs'>;

/**
 * @param json a parsed `open_clip_config.json`
 * @param where its path, for messages
 * @throws MODEL_UNSUPPORTED, naming what is not built: towers of timm and of transformers, pooling by attention, SigLIP's sigmoid and the like
 */
export function openClipAsTransformers(json: unknown, where: string): { model_type: string } {
  const parsed = z.looseObject({ model_cfg: modelSchema }).safeParse(json);
  if (!parsed.success) {
    throw new ClipfleetError(
      'MODEL_UNSUPPORTED',
      `Expected a plain CLIP with ViT in ${where}, of which the towers can be built, got: ${z.prettifyError(parsed.error)}. ` +
        'Take the same model in the layout of transformers, or an ONNX export.',
    );
  }
  const { vision_cfg, text_cfg, embed_dim, quick_gelu = false } = parsed.data.model_cfg;
  const shared = ({ act_kwargs, norm_kwargs }: Layers) => ({
    hidden_act: quick_gelu ? 'quick_gelu' : act_kwargs?.approximate === 'tanh' ? 'gelu_new' : 'gelu',
    layer_norm_eps: norm_kwargs?.eps ?? 1e-5,
  });
  // By the id of the end mark, as MetaCLIP 2 has it, or by the highest id, which the older configurations of CLIP say with a 2.
  const byId = text_cfg.pool_type === 'eos';
  const config = {
    model_type: byId ? 'metaclip_2' : 'clip',
    projection_dim: embed_dim,
    vision_config: {
      ...shared(vision_cfg),
      num_hidden_layers: vision_cfg.layers,
      num_attention_heads: vision_cfg.width / vision_cfg.head_width,
      image_size: vision_cfg.image_size,
      patch_size: vision_cfg.patch_size,
    },
    text_config: {
      ...shared(text_cfg),
      num_hidden_layers: text_cfg.layers,
      num_attention_heads: text_cfg.heads,
      eos_token_id: byId ? text_cfg.eos_id : 2,
    },
  };
  return config;
}
