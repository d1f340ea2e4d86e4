import { ClipfleetError } from '../../shared/errors.ts';
import { type Dtype, dtypeSuffix, dtypes } from '../onnx/dtype.ts';

const requiredFiles = ['config.json', 'preprocessor_config.json', 'tokenizer.json'];
const optionalFiles = ['tokenizer_config.json', 'special_tokens_map.json'];

export interface ChosenFiles {
  /** `split`: a vision and a text graph. `joint`: one graph with both towers. */
  layout: 'split' | 'joint';
  /**
   * Paths in the repository, in the order in which they must appear in a snapshot: a graph after its external data,
   * all graphs after the rest. So a snapshot that has the graphs is complete, even when a download was broken off.
   */
  paths: string[];
}

/**
 * The files of a repository that a model needs in one dtype: the split pair of graphs or else the joint one, what
 * lies outside of them, and the configurations. `where` names the place in messages.
 *
 * Throws MODEL_UNSUPPORTED when the repository is not in the ONNX layout, MODEL_NOT_FOUND when the dtype is missing.
 */
export function chooseFiles(listed: readonly string[], dtype: Dtype, where: string): ChosenFiles {
  const chosen = graphsOf(listed, dtype);
  if (chosen === undefined) throw noGraphs(listed, dtype, where);
  const missing = requiredFiles.filter((path) => !listed.includes(path));
  if (missing.length > 0) {
    throw new ClipfleetError(
      'MODEL_UNSUPPORTED',
      `${where} lacks ${missing.join(', ')}: expected a repository in the ONNX layout with its processor and its ` +
        'tokenizer beside the graphs, such as Xenova/clip-vit-base-patch32.',
    );
  }
  const configurations = [...requiredFiles, ...optionalFiles].filter((path) => listed.includes(path));
  const data = chosen.graphs.flatMap((graph) => externalData(listed, graph));
  return { layout: chosen.layout, paths: [...configurations, ...data, ...chosen.graphs] };
}

function graphsOf(listed: readonly string[], dtype: Dtype) {
  const layouts = { split: ['vision_model', 'text_model'], joint: ['model'] } as const;
  for (const layout of ['split', 'joint'] as const) {
    const graphs = layouts[layout].map((stem) => `onnx/${stem}${dtypeSuffix[dtype]}.onnx`);
    if (graphs.every((graph) => listed.includes(graph))) return { layout, graphs };
  }
  return undefined;
}

/** Weights over 2 GB lie beside the graph: `model.onnx_data`, `model.onnx_data_1`, or `model.onnx.data`. */
export function externalData(listed: readonly string[], graph: string): string[] {
  return listed.filter(
    (path) => path.startsWith(graph) && /^[_.]data(_\d+)?$/.test(path.slice(graph.length)),
  );
}

function noGraphs(listed: readonly string[], dtype: Dtype, where: string): ClipfleetError {
  const present = dtypes.filter((other) => graphsOf(listed, other) !== undefined);
  if (present.length > 0) {
    return new ClipfleetError(
      'MODEL_NOT_FOUND',
      `${where} has no graphs of dtype ${dtype}; it has ${present.join(', ')}. Choose one of them with --dtype.`,
    );
  }
  return new ClipfleetError(
    'MODEL_UNSUPPORTED',
    `${where} is not in the ONNX layout: expected onnx/vision_model.onnx and onnx/text_model.onnx, or ` +
      'onnx/model.onnx. Take a repository that has them, such as Xenova/clip-vit-base-patch32, or export this one ' +
      'with `optimum-cli export onnx` and give the directory with --model.',
  );
}
