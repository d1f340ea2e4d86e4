/**
 * The towers of SigLIP (Zhai et al. 2023) as `modeling_siglip.py` of transformers computes them. SigLIP 2 of a fixed resolution
 * (Tschannen et al. 2025) has the same towers under the same `model_type`.
 */
import { ClipfleetError } from '../../shared/errors.ts';
import { dataType } from '../onnx/onnxProto.ts';
import type { TextConfig, VisionConfig } from './checkpointConfig.ts';
import { settingsOf } from './clipTowers.ts';
import {
  createTowerGraph,
  graphInput,
  type Rows,
  type TowerGraph,
  type Value,
  type WeightSource,
} from './towerGraph.ts';
import {
  apart,
  asRows,
  attention,
  encoderLayer,
  feedForward,
  type LayerSettings,
  layerNorm,
  lengthOf,
  linear,
  lookUp,
  namedLinear,
  patches,
  positions,
  repeated,
} from './transformerLayers.ts';

/** `pixel_values`, count × 3 × side × side, to `pooler_output`. @throws MODEL_UNSUPPORTED for a tower without its pooling head */
export function siglipVision(source: WeightSource, config: VisionConfig): Buffer {
  if (!config.vision_use_head) {
    throw new ClipfleetError(
      'MODEL_UNSUPPORTED',
      'Expected a SigLIP whose image tower has its attention pooling head, got vision_use_head false in config.json: ' +
        'without the head there is no embedding beside that of texts.',
    );
  }
  const g = createTowerGraph(source);
  const name = 'vision_model';
  const table = `${name}.embeddings.position_embedding.weight`;
  const [places, width] = g.shapeOf(table) as [number, number];
  const settings = settingsOf(config, places);
  const seen = patches(g, 'pixel_values', `${name}.embeddings.patch_embedding`);
  let x = asRows(g, g.op('Add', [seen, g.weight(table)]), width);
  for (let i = 0; i < config.num_hidden_layers; i++) {
    x = encoderLayer(g, x, `${name}.encoder.layers.${i}`, settings);
  }
  const normal = layerNorm(g, x, `${name}.post_layernorm`, settings);
  const embedding = poolingHead(g, normal, `${name}.head`, settings);
  const pixels = graphInput('pixel_values', dataType.float, [
    'count',
    3,
    config.image_size,
    config.image_size,
  ]);
  return g.finish([pixels], embedding, { name: 'pooler_output', width });
}

/**
 * `SiglipMultiheadAttentionPoolingHead`: one learned query over all places, then an MLP. The matrices of query, key and value lie in
 * one tensor, one below the other, as `torch.nn.MultiheadAttention` keeps them.
 */
function poolingHead(g: TowerGraph, places: Value, name: string, settings: LayerSettings): Value {
  const width = g.shapeOf(`${name}.probe`)[2]!;
  const third = (i: number): Rows => [i * width, (i + 1) * width];
  const part = (x: Value, i: number) =>
    linear(g, x, {
      weight: `${name}.attention.in_proj_weight`,
      bias: `${name}.attention.in_proj_bias`,
      rows: third(i),
    });
  const probe = asRows(g, repeated(g, g.weight(`${name}.probe`), width, 'pixel_values'), width);
  const parts = { query: part(probe, 0), key: part(places, 1), value: part(places, 2) };
  const attended = attention(g, parts, width, { ...settings, queries: 1 });
  const pooled = namedLinear(g, attended, `${name}.attention.out_proj`);
  const normal = layerNorm(g, pooled, `${name}.layernorm`, settings);
  return g.op('Add', [pooled, feedForward(g, normal, `${name}.mlp`, settings)]);
}

/** `input_ids`, padded to the length that the model was trained on, to `pooler_output`: read at the last place, without a mask. */
export function siglipText(source: WeightSource, config: TextConfig): Buffer {
  const g = createTowerGraph(source);
  const settings = settingsOf(config, lengthOf(g, 'input_ids'));
  const name = 'text_model';
  const table = `${name}.embeddings.position_embedding.weight`;
  const words = lookUp(g, `${name}.embeddings.token_embedding.weight`, 'input_ids');
  const inner = g.shapeOf(table)[1]!;
  let x = asRows(g, g.op('Add', [words, positions(g, table, 'input_ids')]), inner);
  for (let i = 0; i < config.num_hidden_layers; i++) {
    x = encoderLayer(g, x, `${name}.encoder.layers.${i}`, settings);
  }
  const normal = layerNorm(g, x, `${name}.final_layer_norm`, settings);
  const last = g.op('Gather', [apart(g, normal, settings.places, [inner]), g.integer(-1)], { axis: 1 });
  const [width] = g.shapeOf(`${name}.head.weight`) as [number];
  const ids = graphInput('input_ids', dataType.int64, ['count', 'length']);
  return g.finish([ids], namedLinear(g, last, `${name}.head`), { name: 'pooler_output', width });
}
