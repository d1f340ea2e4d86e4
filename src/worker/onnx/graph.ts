import ort from 'onnxruntime-node';
import { fromHalf } from '../../shared/embeddings/half.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import { hostNodes } from './hostNodes.ts';

/** An open ONNX graph. Every run of it blocks the thread it is called on. */
export type Graph = ort.InferenceSession;

export type Tensor = ort.Tensor;

/** Execution providers of onnxruntime, each by name or with the number of its device. */
export type Providers = readonly (string | { name: string; deviceId: number })[];

/** A graph as ONNX in memory. Weights of it may lie in files, which it names by their paths from `weightsFolder`. */
export interface GraphBytes {
  graph: Uint8Array;
  /** An absolute path without links: onnxruntime follows none out of it. */
  weightsFolder?: string;
}

/** A graph in memory with the model or file it is of, for messages. */
export interface NamedGraph extends GraphBytes {
  name: string;
}

/**
 * Opens a graph: a file's by its path, or one in memory. The files of its weights stay mapped: they must be replaced by renaming, never written in place, because answers
 * would change without a word, and a file cut short would end the process.
 *
 * @throws MODEL_INVALID
 */
export async function openGraph(
  graph: string | NamedGraph,
  { providers, threads }: { providers: Providers; threads: number },
): Promise<Graph> {
  try {
    if (typeof graph === 'string') return await createSession(graph, providers, threads);
    return await createSession(graph.graph, providers, threads, {}, graph.weightsFolder);
  } catch (error) {
    throw new ClipfleetError(
      'MODEL_INVALID',
      `Expected an ONNX graph in ${typeof graph === 'string' ? graph : graph.name}, got: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

/**
 * Opens a graph that was written here, on the CPU.
 *
 * @param weights the constants that the graph says are elsewhere, by the name of their place
 */
export function openWrittenGraph(
  graph: Uint8Array,
  weights: Record<string, Uint8Array>,
  threads: number,
): Promise<Graph> {
  const externalData = Object.entries(weights).map(([path, data]) => ({ path, data }));
  return createSession(graph, ['cpu'], threads, { externalData });
}

/** The provider's options as onnxruntime reads them; its types name them for browsers alone. */
const webgpu = { name: 'webgpu', forceCpuNodeNames: Object.values(hostNodes) } as const;

function createSession(
  graph: string | Uint8Array,
  providers: Providers,
  threads: number,
  more: Pick<ort.InferenceSession.SessionOptions, 'externalData'> = {},
  weightsFolder?: string,
): Promise<Graph> {
  // What goes wrong comes as an error; onnxruntime would print it on standard error as well. It reads this level with the
  // process's first session, and transformers sets one of its own when it is loaded.
  ort.env.logLevel = 'fatal';
  return ort.InferenceSession.create(graph as string, {
    executionProviders: providers.map((provider) => (provider === 'webgpu' ? webgpu : provider)),
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Threads that wait for work would turn in circles on the cores that decode; asleep, they leave them.
    extra: {
      session: {
        intra_op: { allow_spinning: '0' },
        ...(weightsFolder && { model_external_initializers_file_folder_path: weightsFolder }),
      },
    },
    graphOptimizationLevel: 'all',
    logSeverityLevel: 4,
    ...more,
  });
}

/** Runs a graph of one input of one float on the providers. @throws what onnxruntime says where it cannot */
export async function tryProviders(providers: Providers, graph: Uint8Array): Promise<void> {
  const session = await createSession(graph, providers, 1);
  await session.run({ [session.inputNames[0]!]: new ort.Tensor('float32', [1], [1]) });
  await session.release();
}

/** Floats on their way into a graph. */
export interface Floats {
  data: Float32Array;
  dims: number[];
}

/** Runs the graph on floats, by the names of its inputs. */
export async function runOnFloats(graph: Graph, inputs: Record<string, Floats>) {
  const tensors = Object.entries(inputs).map(([name, { data, dims }]) => [
    name,
    new ort.Tensor('float32', data, dims),
  ]);
  return graph.run(Object.fromEntries(tensors));
}

/** A tensor to feed a graph with; `dims` multiply to the length of `data`. */
export function tensorOf(
  type: 'float32' | 'float16' | 'uint8' | 'int64' | 'int32',
  data: ort.Tensor['data'],
  dims: readonly number[],
): Tensor {
  const tensor = new ort.Tensor(type, data as Uint8Array, dims);
  // Where Node has a Float16Array, the tensor makes one of the bits of halves, which the runtime takes for 0 bytes.
  if (type === 'float16') Object.defineProperty(tensor, 'data', { value: data });
  return tensor;
}

/** An output's numbers as float32. */
export function floats(tensor: ort.Tensor): Float32Array {
  if (tensor.type !== 'float16') return tensor.data as Float32Array;
  // onnxruntime gives halves as a Float16Array where there is one, from Node 24 on, else as their bits.
  const halves = tensor.data as Uint16Array | ArrayLike<number>;
  return halves instanceof Uint16Array ? fromHalf(halves) : Float32Array.from(halves);
}
