/**
 * The towers of CLIP (Radford et al. 2021) as `modeling_clip.py` of transformers computes them. Chinese CLIP's image tower and both
 * of MetaCLIP 2 are the same.
 */
import { dataType } from '../onnx/onnxProto.ts';
import type { TextConfig, VisionConfig } from './checkpointConfig.ts';
import {
  createTowerGraph,
  graphInput,
  type TowerGraph,
  type Value,
  type WeightSource,
} from './towerGraph.ts';
import {
  apart,
  asRows,
  encoderLayer,
  type LayerSettings,
  layerNorm,
  lengthOf,
  lookUp,
  patches,
  positions,
  projection,
  repeated,
} from './transformerLayers.ts';

/** `pixel_values`, count × 3 × side × side, to `image_embeds`. */
export function clipVision(source: WeightSource, config: VisionConfig): Buffer {
  const g = createTowerGraph(source);
  const name = 'vision_model';
  const [width] = g.shapeOf(`${name}.embeddings.class_embedding`) as [number];
  const table = `${name}.embeddings.position_embedding.weight`;
  const settings = settingsOf(config, g.shapeOf(table)[0]!);
  const mark = g.op('Reshape', [g.weight(`${name}.embeddings.class_embedding`), g.integers([1, 1, width])]);
  const marks = repeated(g, mark, width, 'pixel_values');
  const seen = patches(g, 'pixel_values', `${name}.embeddings.patch_embedding`);
  const tokens = g.op('Concat', [marks, seen], { axis: 1 });
  const placed = g.op('Add', [tokens, g.weight(table)]);
  // The name is misspelt in every checkpoint.
  let x = asRows(g, layerNorm(g, placed, `${name}.pre_layrnorm`, settings), width);
  for (let i = 0; i < config.num_hidden_layers; i++) {
    x = encoderLayer(g, x, `${name}.encoder.layers.${i}`, settings);
  }
  const first = g.op('Gather', [apart(g, x, settings.places, [width]), g.integer(0)], { axis: 1 });
  const pooled = layerNorm(g, first, `${name}.post_layernorm`, settings);
  const embedding = projection(g, pooled, 'visual_projection');
  const [embedWidth] = g.shapeOf('visual_projection.weight') as [number];
  const pixels = graphInput('pixel_values', dataType.float, [
    'count',
    3,
    config.image_size,
    config.image_size,
  ]);
  return g.finish([pixels], embedding, { name: 'image_embeds', width: embedWidth });
}

/**
 * `input_ids` to `text_embeds`. Padding comes after the end mark, where no earlier place sees it, so there is no mask to give.
 *
 * @param endRule where the embedding is read: at the highest id, which CLIP's end mark is, or at the id of the end mark
 */
export function clipText(source: WeightSource, config: TextConfig, endRule: 'highest' | 'id'): Buffer {
  const g = createTowerGraph(source);
  const settings = settingsOf(config, lengthOf(g, 'input_ids'));
  const name = 'text_model';
  const table = `${name}.embeddings.position_embedding.weight`;
  const words = lookUp(g, `${name}.embeddings.token_embedding.weight`, 'input_ids');
  const [places, width] = g.shapeOf(table) as [number, number];
  let x = asRows(g, g.op('Add', [words, positions(g, table, 'input_ids')]), width);
  const mask = causalMask(g, places);
  for (let i = 0; i < config.num_hidden_layers; i++) {
    x = encoderLayer(g, x, `${name}.encoder.layers.${i}`, settings, mask);
  }
  const end = endOf(g, config.eos_token_id, endRule);
  const pooled = layerNorm(
    g,
    g.op('GatherND', [apart(g, x, settings.places, [width]), end], { batch_dims: 1 }),
    `${name}.final_layer_norm`,
    settings,
  );
  const embedding = projection(g, pooled, 'text_projection');
  const [embedWidth] = g.shapeOf('text_projection.weight') as [number];
  const ids = graphInput('input_ids', dataType.int64, ['count', 'length']);
  return g.finish([ids], embedding, { name: 'text_embeds', width: embedWidth });
}

/** Configurations of before 2023 have the end mark's id wrong, 2: by `CLIPTextTransformer`, the highest id is it then. */
export function clipEndRule({ eos_token_id }: TextConfig): 'highest' | 'id' {
  return eos_token_id === 2 ? 'highest' : 'id';
}

export function settingsOf(
  config: VisionConfig | TextConfig,
  places: LayerSettings['places'],
): LayerSettings {
  return {
    places,
    heads: config.num_attention_heads,
    activation: config.hidden_act,
    epsilon: config.layer_norm_eps,
  };
}

/** Minus infinity where a place would see a later one, cut to the length of the texts. */
function causalMask(g: TowerGraph, places: number): Value {
  const later = Array.from({ length: places * places }, (_, i) =>
    i % places > Math.floor(i / places) ? Number.NEGATIVE_INFINITY : 0,
  );
  const square = g.floats(later, [places, places]);
  const length = lengthOf(g, 'input_ids');
  const both = g.op('Concat', [length, length], { axis: 0 });
  return g.op('Slice', [square, g.integers([0, 0]), both, g.integers([0, 1])]);
}

/** The first place of the end mark, count × 1; place 0 where there is none, as in Python. */
function endOf(g: TowerGraph, id: number, rule: 'highest' | 'id'): Value {
  const marked = rule === 'highest' ? 'input_ids' : g.op('Equal', ['input_ids', g.integer(id)]);
  const numbers = g.op('Cast', [marked], { to: dataType.int32 });
  return g.op('ArgMax', [numbers], { axis: 1, keepdims: 1, select_last_index: 0 });
}
