import { ClipfleetError } from '../../shared/errors.ts';
import type { GraphBytes } from '../graph.ts';
import { bertText } from './bertText.ts';
import { type BuiltFamily, builtFamilies, towerConfigs } from './checkpointConfig.ts';
import { readCheckpoint, realPlaces } from './checkpointWeights.ts';
import { clipEndRule, clipText, clipVision } from './clipTowers.ts';
import { siglipText, siglipVision } from './siglipTowers.ts';
import type { WeightSource } from './towerGraph.ts';

/** Changes whenever the towers built from a checkpoint give other numbers, so that old embeddings are not taken for new ones. */
export const TOWERS_VERSION = '1';

/**
 * Both towers of a checkpoint, written over its weights, which stay in its files: nothing is copied. Images go in as `pixel_values`,
 * texts as `input_ids` (and `attention_mask` where padding would be seen); the embeddings come out as the exports of the Hub name them.
 *
 * @param config the parsed `config.json`
 * @param weights paths of the files in safetensors
 * @throws MODEL_UNSUPPORTED for a family or a part of one that is not built, MODEL_INVALID for weights that are not the configuration's
 */
export async function buildTowers(
  config: { model_type: string },
  weights: readonly string[],
  where: string,
): Promise<{ vision: GraphBytes; text: GraphBytes }> {
  const family = config.model_type as BuiltFamily;
  if (!builtFamilies.includes(family)) {
    throw new ClipfleetError(
      'MODEL_UNSUPPORTED',
      `Expected a checkpoint of the families ${builtFamilies.join(', ')}, got model_type '${family}' in ${where}. ` +
        'Other families need an ONNX export.',
    );
  }
  const source: WeightSource = { tensors: await readCheckpoint(weights), places: await realPlaces(weights) };
  const { vision, text } = towerConfigs(config, family, where);
  const texts: Record<BuiltFamily, () => Buffer> = {
    clip: () => clipText(source, text, clipEndRule(text)),
    // The released configurations say 2, and mean it.
    metaclip_2: () => clipText(source, text, 'id'),
    chinese_clip: () => bertText(source, text),
    siglip: () => siglipText(source, text),
  };
  const weightsFolder = source.places.folder;
  const visionGraph = family === 'siglip' ? siglipVision(source, vision) : clipVision(source, vision);
  return {
    vision: { graph: visionGraph, weightsFolder },
    text: { graph: texts[family](), weightsFolder },
  };
}
