import ort from 'onnxruntime-node';
import { ClipfleetError } from '../shared/errors.ts';
import { fromHalf, toHalf } from './half.ts';
import type { TokenBatch } from './tokenizer.ts';

/** An open ONNX graph. Every run of it blocks the thread it is called on. */
export type Graph = ort.InferenceSession;

/**
 * Opens a graph.
 *
 * @throws MODEL_INVALID, MODEL_UNSUPPORTED where the device is not to be had
 */
export async function openGraph(
  path: string,
  spec: { device: 'cpu' | 'cuda'; threads: number },
): Promise<Graph> {
  try {
    return await ort.InferenceSession.create(path, {
      executionProviders: [spec.device],
      intraOpNumThreads: spec.threads,
      interOpNumThreads: 1,
      // Threads that wait for work would turn in circles on the cores that decode; asleep, they leave them.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
      graphOptimizationLevel: 'all',
      logSeverityLevel: 4,
    });
  } catch (error) {
    const reason = (error as Error).message;
    if (spec.device === 'cuda') {
      throw new ClipfleetError(
        'MODEL_UNSUPPORTED',
        `Expected a CUDA session, got: ${reason} ` +
          'Install the CUDA libraries of onnxruntime-node (see the README), or use --device cpu.',
        { cause: error },
      );
    }
    throw new ClipfleetError('MODEL_INVALID', `Expected an ONNX graph in ${path}, got: ${reason}`, {
      cause: error,
    });
  }
}

/** Floats on their way into a graph. */
export interface Floats {
  data: Float32Array;
  dims: number[];
}

/** Runs the graph on what it asks for; exports differ in which inputs they kept. */
export async function runGraph(graph: Graph, pixels: Floats | undefined, tokens: TokenBatch | undefined) {
  const feeds: Record<string, ort.Tensor> = {};
  for (const { name, type } of graph.inputMetadata as readonly { name: string; type?: string }[]) {
    if (name === 'pixel_values' && pixels) feeds[name] = floatTensor(pixels, type);
    else if (tokens) feeds[name] = tokenTensor(name, tokens);
  }
  return graph.run(feeds);
}

function floatTensor({ data, dims }: Floats, type: string | undefined): ort.Tensor {
  return type === 'float16'
    ? new ort.Tensor('float16', toHalf(data), dims)
    : new ort.Tensor('float32', data, dims);
}

function tokenTensor(name: string, { ids, mask, count, length }: TokenBatch): ort.Tensor {
  const shape = [count, length];
  if (name === 'input_ids') return new ort.Tensor('int64', ids, shape);
  if (name === 'attention_mask') return new ort.Tensor('int64', mask, shape);
  if (name === 'token_type_ids') return new ort.Tensor('int64', new BigInt64Array(ids.length), shape);
  throw new ClipfleetError(
    'MODEL_UNSUPPORTED',
    `Expected a CLIP-like graph, got one with an input '${name}'.`,
  );
}

/** The output that goes by one of the names, the first of them first. @throws MODEL_UNSUPPORTED */
export function pick(outputs: ort.InferenceSession.OnnxValueMapType, names: readonly string[]): ort.Tensor {
  for (const name of names) if (outputs[name]) return outputs[name] as ort.Tensor;
  throw new ClipfleetError(
    'MODEL_UNSUPPORTED',
    `Expected a graph with the output ${names.join(' or ')}, got ${Object.keys(outputs).join(', ')}.`,
  );
}

/** An output's numbers as float32. */
export function floats(tensor: ort.Tensor): Float32Array {
  return tensor.type === 'float16' ? fromHalf(tensor.data as Uint16Array) : (tensor.data as Float32Array);
}
