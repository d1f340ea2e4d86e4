/**
 * The text tower of Chinese CLIP (Yang et al. 2022): a BERT (Devlin et al. 2019) as `modeling_chinese_clip.py` of transformers computes
 * it, normalised after attention and after its MLP, read at the first place.
 */
import { dataType } from '../onnx/onnxProto.ts';
import type { TextConfig } from './checkpointConfig.ts';
import { settingsOf } from './clipTowers.ts';
import {
  type Arithmetic,
  createTowerGraph,
  graphInput,
  type TowerGraph,
  type Value,
  type WeightSource,
} from './towerGraph.ts';
import {
  activate,
  apart,
  asRows,
  attention,
  type LayerSettings,
  layerNorm,
  lengthOf,
  lookUp,
  namedLinear,
  positions,
  projection,
} from './transformerLayers.ts';

/** What is added to the score of a place that is padding: the lowest number there is, as `torch.finfo(dtype).min` says. */
const lowest: Record<Arithmetic, number> = { fp32: -3.4028234663852886e38, fp16: -65_504 };

/** `input_ids` and `attention_mask` to `text_embeds`. */
export function bertText(source: WeightSource, config: TextConfig): Buffer {
  const g = createTowerGraph(source);
  const settings = settingsOf(config, lengthOf(g, 'input_ids'));
  const embeddings = 'text_model.embeddings';
  const words = lookUp(g, `${embeddings}.word_embeddings.weight`, 'input_ids');
  // Every token is of the first of BERT's two sentences.
  const type = g.op('Gather', [g.weight(`${embeddings}.token_type_embeddings.weight`), g.integer(0)]);
  const placed = positions(g, `${embeddings}.position_embeddings.weight`, 'input_ids');
  const sum = g.op('Add', [g.op('Add', [words, type]), placed]);
  const mask = paddingMask(g);
  const inner = g.shapeOf(`${embeddings}.word_embeddings.weight`)[1]!;
  let x = asRows(g, layerNorm(g, sum, `${embeddings}.LayerNorm`, settings), inner);
  for (let i = 0; i < config.num_hidden_layers; i++) {
    x = bertLayer(g, x, `text_model.encoder.layer.${i}`, settings, mask);
  }
  const first = g.op('Gather', [apart(g, x, settings.places, [inner]), g.integer(0)], { axis: 1 });
  const [width] = g.shapeOf('text_projection.weight') as [number];
  const inputs = ['input_ids', 'attention_mask'].map((name) =>
    graphInput(name, dataType.int64, ['count', 'length']),
  );
  return g.finish(inputs, projection(g, first, 'text_projection'), { name: 'text_embeds', width });
}

function bertLayer(g: TowerGraph, x: Value, name: string, settings: LayerSettings, mask: Value): Value {
  const part = (which: string) => namedLinear(g, x, `${name}.attention.self.${which}`);
  const [width] = g.shapeOf(`${name}.attention.self.query.weight`) as [number];
  const parts = { query: part('query'), key: part('key'), value: part('value') };
  const attended = attention(g, parts, width, settings, mask);
  const added = g.op('Add', [namedLinear(g, attended, `${name}.attention.output.dense`), x]);
  const seen = layerNorm(g, added, `${name}.attention.output.LayerNorm`, settings);
  const inner = activate(g, namedLinear(g, seen, `${name}.intermediate.dense`), settings.activation);
  const outer = g.op('Add', [namedLinear(g, inner, `${name}.output.dense`), seen]);
  return layerNorm(g, outer, `${name}.output.LayerNorm`, settings);
}

/** count × 1 × 1 × length: 0 for a token, the lowest number for padding. */
function paddingMask(g: TowerGraph): Value {
  const mask = g.computed('attention_mask');
  const spread = g.op('Unsqueeze', [mask, g.integers([1, 2])]);
  return g.op('Mul', [g.op('Sub', [g.float(1), spread]), g.float(lowest[g.arithmetic])]);
}
