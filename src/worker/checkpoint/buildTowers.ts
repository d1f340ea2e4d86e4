import { ClipfleetError } from '../../shared/errors.ts';
import type { NamedGraph } from '../onnx/graph.ts';
import { realPlaces } from '../onnx/realPlaces.ts';
import { bertText } from './bertText.ts';
import {
  type BuiltFamily,
  builtFamilies,
  type Side,
  type TextConfig,
  towerConfig,
  towerTypes,
} from './checkpointConfig.ts';
import { readCheckpoint, type StoredTensor } from './checkpointWeights.ts';
import { clipEndRule, clipText, clipVision } from './clipTowers.ts';
import { openClipAsTransformers } from './openClipConfig.ts';
import { inTransformersNames } from './openClipTensors.ts';
import { siglipText, siglipVision } from './siglipTowers.ts';
import { type Arithmetic, isWeightType, type WeightSource } from './towerGraph.ts';

/** Changes whenever the towers built from a checkpoint give other numbers, so that old embeddings are not taken for new ones. */
export const TOWERS_VERSION = '1';

/** A checkpoint as its authors publish it: of both towers, or of one that was saved by itself with its projection. */
export interface CheckpointFiles {
  /** The parsed `config.json`, or `open_clip_config.json`. */
  config: object;
  /** The path of that, for messages. */
  where: string;
  /** Paths of the files in safetensors. */
  weights: readonly string[];
}

export interface BuiltTowers extends Record<Side, NamedGraph> {
  /** Whether the weights of both are stored in float16. */
  storedAsHalf: boolean;
  /** Of the images that the image tower takes, in pixels. */
  imageSide: number;
}

/**
 * Both towers of a checkpoint, written over its weights, which stay in its files: nothing is copied. Images go in as `pixel_values`,
 * texts as `input_ids` (and `attention_mask` where padding would be seen); the embeddings come out as the exports of the Hub name them.
 *
 * @param arithmetic what the towers compute in: weights of another type are cast when the graph is loaded
 * @throws MODEL_UNSUPPORTED for a family or a part of one that is not built, MODEL_INVALID for weights that are not the configuration's
 */
export async function buildTowers(
  files: Record<Side, CheckpointFiles>,
  arithmetic: Arithmetic = 'fp32',
): Promise<BuiltTowers> {
  const [vision, text] = [inTransformersTerms(files.vision), inTransformersTerms(files.text)];
  const visionFamily = familyOf(vision.config.model_type, 'vision', vision.where);
  const visionConfig = towerConfig(vision.config, visionFamily, 'vision', vision.where);
  const textFamily = familyOf(text.config.model_type, 'text', text.where);
  const textConfig = towerConfig(text.config, textFamily, 'text', text.where);
  const visionSource = await sourceOf(vision, arithmetic);
  const textSource = await sourceOf(text, arithmetic);
  const visionGraph =
    visionFamily === 'siglip'
      ? siglipVision(visionSource, visionConfig)
      : clipVision(visionSource, visionConfig);
  return {
    imageSide: visionConfig.image_size,
    storedAsHalf: [visionSource, textSource].every(isStoredAsHalf),
    vision: named(vision, visionSource, visionGraph),
    text: named(text, textSource, textGraph(textSource, textFamily, textConfig)),
  };
}

function textGraph(source: WeightSource, family: BuiltFamily, config: TextConfig): Buffer {
  if (family === 'siglip') return siglipText(source, config);
  if (family === 'chinese_clip') return bertText(source, config);
  // MetaCLIP 2's released configurations say 2 as well, and mean it.
  return clipText(source, config, family === 'metaclip_2' ? 'id' : clipEndRule(config));
}

interface NamedCheckpoint extends CheckpointFiles {
  config: { model_type: string };
  isOpenClip: boolean;
}

function inTransformersTerms(files: CheckpointFiles): NamedCheckpoint {
  const { config, where } = files;
  const isOpenClip = 'model_cfg' in config;
  if (isOpenClip) return { ...files, config: openClipAsTransformers(config, where), isOpenClip };
  const model_type = 'model_type' in config ? String(config.model_type) : '';
  return { ...files, config: { ...config, model_type }, isOpenClip };
}

async function sourceOf(
  { weights, isOpenClip }: NamedCheckpoint,
  arithmetic: Arithmetic,
): Promise<WeightSource> {
  const tensors = await readCheckpoint(weights);
  return {
    tensors: isOpenClip ? inTransformersNames(tensors) : tensors,
    places: await realPlaces(weights),
    arithmetic,
  };
}

function named({ weights }: CheckpointFiles, { places }: WeightSource, graph: Buffer): NamedGraph {
  return { name: weights.join(', '), graph, weightsFolder: places.folder };
}

/** By its matrices: scales and the like are often kept in float32 beside them. */
function isStoredAsHalf({ tensors }: WeightSource): boolean {
  const isMatrix = ({ dtype, shape }: StoredTensor) => isWeightType(dtype) && shape.length >= 2;
  return [...tensors.values()].filter(isMatrix).every(({ dtype }) => dtype === 'F16');
}

function familyOf(modelType: string, side: Side, where: string): BuiltFamily {
  const alone = towerTypes[modelType];
  if (alone?.side === side) return alone.family;
  const family = builtFamilies.find((built) => built === modelType);
  if (family) return family;
  throw new ClipfleetError(
    'MODEL_UNSUPPORTED',
    `Expected a checkpoint of the families ${builtFamilies.join(', ')}, got model_type '${modelType}' in ${where}. ` +
      'Other families need an ONNX export.',
  );
}
