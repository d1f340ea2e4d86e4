import { join } from 'node:path';
import { z } from 'zod';
import { ClipfleetError } from '../../shared/errors.ts';
import { towerTypes } from '../checkpoint/checkpointConfig.ts';
import type { ModelLayout } from '../layout/modelLayout.ts';
import type { OutputNames } from '../session/towerOutputs.ts';
import { readJson } from './readJson.ts';

/** What a model's configuration says of its family. */
export interface FamilyConfig {
  /** A `model_type`, one of `families`. */
  modelType: string;
  /** Scores are sigmoids, each by itself, and texts are padded to the full length. */
  isSiglip: boolean;
  /** Places of the text tower, where it is said. */
  positions: number | undefined;
  /** D, the length of an embedding, where it is said. */
  projection: number | undefined;
  outputs: OutputNames;
  /** The checkpoint that graphs were exported from, where it is said. */
  exportedFrom: string | undefined;
}

/** The families whose graphs, prompts and scores are those of CLIP or SigLIP. */
const families = ['clip', 'chinese_clip', 'metaclip_2', 'siglip', 'siglip2'];

const whole = z.int().positive();
const sideSchema = z.object({ max_position_embeddings: whole.nullish() });

const configSchema = z.object({
  model_type: z.string().optional(),
  _name_or_path: z.string().optional(),
  projection_dim: whole.nullish(),
  max_position_embeddings: whole.nullish(),
  text_config: sideSchema.nullish(),
  text_config_dict: sideSchema.nullish(),
});

/** The configuration of open_clip, `model_cfg` of its own file, which Immich's exports keep by itself. */
const openClipSchema = z.object({
  embed_dim: whole,
  vision_cfg: z.unknown(),
  text_cfg: z.object({ context_length: whole.optional() }),
  init_logit_bias: z.number().optional(),
});

/** The names that exports give a projected embedding: transformers' and Immich's, older and newer. */
const projected = (side: 'image' | 'text') => [`${side}_embeds`, `${side}_embedding`, 'embedding'];

/**
 * Reads what `config.json` says of the model's family; of towers that were saved each by itself, what both say.
 *
 * @throws MODEL_INVALID, MODEL_UNSUPPORTED for another family
 */
export async function readFamily(dir: string, layout: ModelLayout): Promise<FamilyConfig> {
  const path = join(dir, layout.config);
  const json = await readJson(path, z.looseObject({}));
  const openClip = openClipSchema.safeParse(json.model_cfg ?? json);
  if (openClip.success && json.model_type === undefined) return ofOpenClip(openClip.data);
  const config = await readJson(path, configSchema);
  const modelType = towerTypes[config.model_type ?? '']?.family ?? config.model_type;
  if (modelType === undefined || !families.includes(modelType)) {
    throw new ClipfleetError(
      'MODEL_UNSUPPORTED',
      `Expected a model of the families ${families.join(', ')}, got model_type '${modelType}' in ${path}.`,
    );
  }
  const textConfig = layout.checkpoint?.text.config ?? layout.config;
  const text = textConfig === layout.config ? config : await readJson(join(dir, textConfig), configSchema);
  const positions =
    (text.text_config_dict ?? text.text_config)?.max_position_embeddings ?? text.max_position_embeddings;
  const isSiglip = modelType.startsWith('siglip');
  return {
    modelType,
    isSiglip,
    positions: positions ?? undefined,
    projection: (!isSiglip && config.projection_dim) || undefined,
    outputs: outputsOf(isSiglip),
    exportedFrom: config._name_or_path,
  };
}

function ofOpenClip({ embed_dim, text_cfg, init_logit_bias }: z.infer<typeof openClipSchema>): FamilyConfig {
  const isSiglip = init_logit_bias !== undefined;
  return {
    modelType: isSiglip ? 'siglip' : 'clip',
    isSiglip,
    positions: text_cfg.context_length,
    projection: embed_dim,
    outputs: outputsOf(isSiglip),
    exportedFrom: undefined,
  };
}

/** A CLIP's `pooler_output` is what comes before its projection, and means nothing beside the other tower's; a SigLIP has none. */
function outputsOf(isSiglip: boolean): OutputNames {
  const more = isSiglip ? ['pooler_output'] : [];
  return { image: [...projected('image'), ...more], text: [...projected('text'), ...more] };
}
