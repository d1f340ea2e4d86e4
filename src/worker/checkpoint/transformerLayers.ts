/**
 * What the towers of all families are made of, as PyTorch and transformers compute it: `torch.nn.Linear`, `torch.nn.LayerNorm`,
 * scaled dot-product attention (Vaswani et al. 2017, section 3.2) and the activations of `transformers/activations.py`.
 */
import { ClipfleetError } from '../../shared/errors.ts';
import { hostNodes } from '../onnx/hostNodes.ts';
import type { Activation } from './checkpointConfig.ts';
import type { Rows, TowerGraph, Value } from './towerGraph.ts';

/** What the layers of one tower share. */
export interface LayerSettings {
  heads: number;
  activation: Activation;
  /** Added to the variance in layer normalisation. */
  epsilon: number;
}

export interface LinearTensors {
  weight: string;
  bias: string | undefined;
  /** Which rows of both belong to this layer, where several are kept in one. */
  rows?: Rows;
}

/**
 * `x · weightᵀ + bias` over the last dimension of `count × places × in`. The weight is used as it is stored, out × in: transposed, it
 * would be in memory a second time. A matrix that is stored in × out needs no transposing.
 */
export function linear(g: TowerGraph, x: Value, { weight, bias, rows }: LinearTensors): Value {
  const [allRows, inputs] = g.shapeOf(weight) as [number, number];
  const outputs = rows ? rows[1] - rows[0] : allRows;
  const flat = g.op('Reshape', [x, g.integers([-1, inputs])]);
  const parameters = [g.weight(weight, rows), ...(bias ? [g.weight(bias, rows)] : [])];
  const product = g.op('Gemm', [flat, ...parameters], { transB: g.isSwapped(weight) ? 0 : 1 });
  const leading = g.op('Shape', [x], { end: -1 });
  const shape = g.op('Concat', [leading, g.integers([outputs])], { axis: 0 });
  return g.op('Reshape', [product, shape]);
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
 * Attention of `count × places × width` each.
 *
 * @param mask added to the scores before their softmax
 * @throws MODEL_UNSUPPORTED where the heads do not divide the width
 */
export function attention(
  g: TowerGraph,
  { query, key, value }: { query: Value; key: Value; value: Value },
  width: number,
  { heads }: LayerSettings,
  mask?: Value,
): Value {
  if (width % heads !== 0) {
    throw new ClipfleetError(
      'MODEL_UNSUPPORTED',
      `Expected attention heads that divide the width ${width} of the weights, got ${heads} in config.json.`,
    );
  }
  const apart = g.integers([0, 0, heads, width / heads]);
  const split = (x: Value, perm: readonly number[]) =>
    g.op('Transpose', [g.op('Reshape', [x, apart])], { perm });
  const scaled = g.op('Mul', [split(query, [0, 2, 1, 3]), g.float((width / heads) ** -0.5)]);
  const scores = g.op('MatMul', [scaled, split(key, [0, 2, 3, 1])]);
  const masked = mask ? g.op('Add', [scores, mask]) : scores;
  const shares = g.op('Softmax', [masked], { axis: -1 });
  const mixed = g.op('MatMul', [shares, split(value, [0, 2, 1, 3])]);
  const together = g.op('Transpose', [mixed], { perm: [0, 2, 1, 3] });
  return g.op('Reshape', [together, g.integers([0, 0, width])]);
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
  const length = g.op('Shape', [ids], { start: 1, end: 2 });
  return g.op('Slice', [g.weight(table), g.integers([0]), length, g.integers([0])]);
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
