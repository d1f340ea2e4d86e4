/**
 * What the towers of all families are made of, as PyTorch and transformers compute it: `torch.nn.Linear`, `torch.nn.LayerNorm`,
 * scaled dot-product attention (Vaswani et al. 2017, section 3.2) and the activations of `transformers/activations.py`.
 */
import { ClipfleetError } from '../../shared/errors.ts';
import { hostNodes } from '../onnx/hostNodes.ts';
import type { Activation } from './checkpointConfig.ts';
import type { Rows, TowerGraph, Value } from './towerGraph.ts';

/**
 * What the layers of one tower share. Between layers, places of all images or texts are rows: (count · places) × width, so that linear layers need
 * no reshaping.
 */
export interface LayerSettings {
  heads: number;
  activation: Activation;
  /** Added to the variance in layer normalisation. */
  epsilon: number;
  /** Places of an image or a text: a number, or a vector of one where it depends on the texts. */
  places: number | Value;
}

export interface LinearTensors {
  weight: string;
  bias: string | undefined;
  /** Which rows of both belong to this layer, where several are kept in one. */
  rows?: Rows;
}

/**
 * `x · weightᵀ + bias` of rows. The weight is used as it is stored, out × in: transposed, it
 * would be in memory a second time. A matrix that is stored in × out needs no transposing.
 */
export function linear(g: TowerGraph, x: Value, { weight, bias, rows }: LinearTensors): Value {
  const parameters = [g.weight(weight, rows), ...(bias ? [g.weight(bias, rows)] : [])];
  return g.op('Gemm', [x, ...parameters], { transB: g.isSwapped(weight) ? 0 : 1 });
}

/** `count × places × width` as rows. */
export function asRows(g: TowerGraph, x: Value, width: number): Value {
  return g.op('Reshape', [x, g.integers([-1, width])]);
}

/** Rows as count × places × `dims`. */
export function apart(g: TowerGraph, x: Value, places: number | Value, dims: readonly number[]): Value {
  if (typeof places === 'number') return g.op('Reshape', [x, g.integers([-1, places, ...dims])]);
  return g.op('Reshape', [x, g.op('Concat', [g.integers([-1]), places, g.integers(dims)], { axis: 0 })]);
}

/** A layer whose tensors are `NAME.weight` and `NAME.bias`. */
export function namedLinear(g: TowerGraph, x: Value, name: string): Value {
  return linear(g, x, { weight: `${name}.weight`, bias: `${name}.bias` });
}

/** A projection into the space that images and texts share: no bias. */
export function projection(g: TowerGraph, x: Value, name: string): Value {
  return linear(g, x, { weight: `${name}.weight`, bias: undefined });
}

export function layerNorm(g: TowerGraph, x: Value, name: string, { epsilon }: LayerSettings): Value {
  const inputs = [x, g.weight(`${name}.weight`), g.weight(`${name}.bias`)];
  return g.op('LayerNormalization', inputs, { axis: -1, epsilon: { float: epsilon } });
}

/**
 * Attention of rows; a query may have fewer places than what it looks at.
 *
 * @param mask added to the scores before their softmax
 * @throws MODEL_UNSUPPORTED where the heads do not divide the width
 */
export function attention(
  g: TowerGraph,
  { query, key, value }: { query: Value; key: Value; value: Value },
  width: number,
  { heads, places, queries = places }: Pick<LayerSettings, 'heads' | 'places'> & { queries?: number | Value },
  mask?: Value,
): Value {
  if (width % heads !== 0) {
    throw new ClipfleetError(
      'MODEL_UNSUPPORTED',
      `Expected attention heads that divide the width ${width} of the weights, got ${heads} in config.json.`,
    );
  }
  const split = (x: Value, of: number | Value, perm: readonly number[]) =>
    g.op('Transpose', [apart(g, x, of, [heads, width / heads])], { perm });
  const scaled = g.op('Mul', [split(query, queries, [0, 2, 1, 3]), g.float((width / heads) ** -0.5)]);
  const scores = g.op('MatMul', [scaled, split(key, places, [0, 2, 3, 1])]);
  const masked = mask ? g.op('Add', [scores, mask]) : scores;
  const shares = g.op('Softmax', [masked], { axis: -1 });
  const mixed = g.op('MatMul', [shares, split(value, places, [0, 2, 1, 3])]);
  return asRows(g, g.op('Transpose', [mixed], { perm: [0, 2, 1, 3] }), width);
}

export function activate(g: TowerGraph, x: Value, activation: Activation): Value {
  const mul = (a: Value, b: Value) => g.op('Mul', [a, b]);
  if (activation === 'quick_gelu') return mul(x, g.op('Sigmoid', [mul(x, g.float(1.702))]));
  const half = mul(x, g.float(0.5));
  if (activation === 'gelu') {
    const error = g.op('Erf', [mul(x, g.float(Math.SQRT1_2))]);
    return mul(half, g.op('Add', [error, g.float(1)]));
  }
  const cube = mul(mul(x, x), x);
  const inner = g.op('Add', [x, mul(cube, g.float(0.044715))]);
  const tanh = g.op('Tanh', [mul(inner, g.float(Math.sqrt(2 / Math.PI)))]);
  return mul(half, g.op('Add', [tanh, g.float(1)]));
}

/** The two linear layers of an encoder layer, `NAME.fc1` and `NAME.fc2`. */
export function feedForward(g: TowerGraph, x: Value, name: string, { activation }: LayerSettings): Value {
  return namedLinear(g, activate(g, namedLinear(g, x, `${name}.fc1`), activation), `${name}.fc2`);
}

/** An encoder layer of CLIP and SigLIP (`CLIPEncoderLayer`, `SiglipEncoderLayer`): normalised before attention and before its MLP. */
export function encoderLayer(
  g: TowerGraph,
  x: Value,
  name: string,
  settings: LayerSettings,
  mask?: Value,
): Value {
  const normal = layerNorm(g, x, `${name}.layer_norm1`, settings);
  const part = (which: string) => namedLinear(g, normal, `${name}.self_attn.${which}_proj`);
  const [width] = g.shapeOf(`${name}.self_attn.q_proj.weight`) as [number];
  const parts = { query: part('q'), key: part('k'), value: part('v') };
  const attended = attention(g, parts, width, settings, mask);
  const seen = g.op('Add', [x, namedLinear(g, attended, `${name}.self_attn.out_proj`)]);
  const second = layerNorm(g, seen, `${name}.layer_norm2`, settings);
  return g.op('Add', [seen, feedForward(g, second, `${name}.mlp`, settings)]);
}

/** Rows of a table of embeddings: looked up, then cast, so that a table of another type is never cast as a whole. */
export function lookUp(g: TowerGraph, table: string, ids: Value): Value {
  const { value, fits } = g.stored(table);
  const rows = g.op('Gather', [value, ids], {}, hostNodes.found);
  return fits ? rows : g.computed(rows, hostNodes.cast);
}

/** The first rows of a table of positions, as many as `ids` is long. */
export function positions(g: TowerGraph, table: string, ids: Value): Value {
  return g.op('Slice', [g.weight(table), g.integers([0]), lengthOf(g, ids), g.integers([0])]);
}

/** The number of places of token ids, count × length, as a vector of one. */
export function lengthOf(g: TowerGraph, ids: Value): Value {
  return g.op('Shape', [ids], { start: 1, end: 2 });
}

/** An image's patches: `count × patches × width` of float32 pixels, by a convolution whose steps are its size. */
export function patches(g: TowerGraph, pixels: Value, name: string): Value {
  const [width, , patch] = g.shapeOf(`${name}.weight`) as [number, number, number];
  const bias = g.has(`${name}.bias`) ? [g.weight(`${name}.bias`)] : [];
  const given = g.arithmetic === 'fp32' ? pixels : g.computed(pixels);
  const convolved = g.op('Conv', [given, g.weight(`${name}.weight`), ...bias], { strides: [patch, patch] });
  const rows = g.op('Reshape', [convolved, g.integers([0, width, -1])]);
  return g.op('Transpose', [rows], { perm: [0, 2, 1] });
}

/** A row of weights (1 × 1 × width), repeated for each image of `pixels`. */
export function repeated(g: TowerGraph, row: Value, width: number, pixels: Value): Value {
  const count = g.op('Shape', [pixels], { start: 0, end: 1 });
  const shape = g.op('Concat', [count, g.integers([1, width])], { axis: 0 });
  return g.op('Expand', [row, shape]);
}
