import { ClipfleetError } from '../../shared/errors.ts';
import type { Preprocessing } from '../decode/preprocessing.ts';
import { type Graph, type Tensor, tensorOf } from '../onnx/graph.ts';
import { toHalf } from '../onnx/half.ts';
import { packPixels } from './pack.ts';
import { BYTES_INPUT, FLOATS_INPUT } from './pixelPrefix.ts';
import type { TokenBatch } from './tokenizer.ts';

/** Images on their way into a graph: RGB u8 laid end to end, as the decoder gives them. */
export interface PixelBatch {
  data: Uint8Array;
  count: number;
  preprocessing: Preprocessing;
}

/** Runs the graph on what it asks for; exports differ in which inputs they kept. */
export async function runGraph(graph: Graph, pixels: PixelBatch | undefined, tokens: TokenBatch | undefined) {
  const feeds: Record<string, Tensor> = {};
  for (const { name, type } of graph.inputMetadata as readonly { name: string; type?: string }[]) {
    if (name === BYTES_INPUT && pixels) feeds[name] = byteTensor(pixels);
    else if (name === FLOATS_INPUT && pixels) feeds[name] = floatTensor(pixels, type);
    else if (tokens) feeds[name] = tokenTensor(name, tokens);
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

function tokenTensor(name: string, { ids, mask, count, length }: TokenBatch): Tensor {
  const shape = [count, length];
  if (name === 'input_ids') return tensorOf('int64', ids, shape);
  if (name === 'attention_mask') return tensorOf('int64', mask, shape);
  if (name === 'token_type_ids') return tensorOf('int64', new BigInt64Array(ids.length), shape);
  throw new ClipfleetError(
    'MODEL_UNSUPPORTED',
    `Expected a CLIP-like graph, got one with an input '${name}'.`,
  );
}

/** The output that goes by one of the names, the first of them first. @throws MODEL_UNSUPPORTED */
export function pick(outputs: Record<string, Tensor>, names: readonly string[]): Tensor {
  for (const name of names) {
    const output = outputs[name];
    if (output) return output;
  }
  throw new ClipfleetError(
    'MODEL_UNSUPPORTED',
    `Expected a graph with the output ${names.join(' or ')}, got ${Object.keys(outputs).join(', ')}.`,
  );
}
