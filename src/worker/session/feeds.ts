import { toHalf } from '../../shared/embeddings/half.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import { type Graph, type Tensor, tensorOf } from '../onnx/graph.ts';
import type { Preprocessing } from '../resize/preprocessing.ts';
import type { TokenBatch } from '../tokenizer/tokenizer.ts';
import { packPixels } from './pack.ts';
import { BYTES_INPUT, FLOAT_INPUTS } from './pixelPrefix.ts';

/** Images on their way into a graph: RGB u8 laid end to end, as the decoder gives them. */
export interface PixelBatch {
  data: Uint8Array;
  count: number;
  preprocessing: Preprocessing;
}

/** The names that exports give token ids: transformers' and Immich's. */
const TOKEN_INPUTS = ['input_ids', 'text'];

export function isTokenInput(name: string): boolean {
  return TOKEN_INPUTS.includes(name);
}

export function isPixelInput(name: string): boolean {
  return name === BYTES_INPUT || FLOAT_INPUTS.includes(name);
}

/** Runs the graph on what it asks for; exports differ in which inputs they kept. @throws MODEL_UNSUPPORTED for another input */
export async function runGraph(graph: Graph, pixels: PixelBatch | undefined, tokens: TokenBatch | undefined) {
  const feeds: Record<string, Tensor> = {};
  for (const { name, type } of graph.inputMetadata as readonly { name: string; type?: string }[]) {
    if (name === BYTES_INPUT && pixels) feeds[name] = byteTensor(pixels);
    else if (isPixelInput(name) && pixels) feeds[name] = floatTensor(pixels, type);
    else if (tokens) feeds[name] = tokenTensor(name, type, tokens);
  }
  return graph.run(feeds);
}

function byteTensor({ data, count, preprocessing: { width, height } }: PixelBatch): Tensor {
  return tensorOf('uint8', data, [count, height, width, 3]);
}

function floatTensor({ data, count, preprocessing }: PixelBatch, type: string | undefined): Tensor {
  const floats = packPixels(data, count, preprocessing);
  const dims = [count, 3, preprocessing.height, preprocessing.width];
  return type === 'float16' ? tensorOf('float16', toHalf(floats), dims) : tensorOf('float32', floats, dims);
}

function tokenTensor(
  name: string,
  type: string | undefined,
  { ids, mask, count, length }: TokenBatch,
): Tensor {
  const wholes = (values: BigInt64Array) =>
    type === 'int32'
      ? tensorOf('int32', Int32Array.from(values, Number), [count, length])
      : tensorOf('int64', values, [count, length]);
  if (isTokenInput(name)) return wholes(ids);
  if (name === 'attention_mask') return wholes(mask);
  if (name === 'token_type_ids') return wholes(new BigInt64Array(ids.length));
  throw new ClipfleetError(
    'MODEL_UNSUPPORTED',
    `Expected a CLIP-like graph, got one with an input '${name}'.`,
  );
}
