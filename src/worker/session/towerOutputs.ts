import { ClipfleetError } from '../../shared/errors.ts';
import { floats, type Tensor } from '../onnx/graph.ts';
import { unitRows } from '../onnx/vectors.ts';

/** Names under which a model's graphs may give the embedding of each side, the best first: what a name means depends on the family. */
export interface OutputNames {
  image: readonly string[];
  text: readonly string[];
}

/** The output that goes by one of the names, the first of them first. @throws MODEL_UNSUPPORTED */
export function pick(outputs: Record<string, Tensor>, names: readonly string[], graph: string): Tensor {
  for (const name of names) {
    const output = outputs[name];
    if (output) return output;
  }
  const got = Object.keys(outputs);
  const cut = got.includes('pooler_output') || got.includes('last_hidden_state');
  throw new ClipfleetError(
    'MODEL_UNSUPPORTED',
    `Expected a graph with the output ${names.join(' or ')} in ${graph}, got ${got.join(', ')}.` +
      (cut
        ? ' It is cut before its projection: export the towers with it (CLIPVisionModelWithProjection).'
        : ''),
  );
}

/**
 * Checks that a tower's output is of `count` embeddings.
 *
 * @param dimensions D, where the model's configuration or the other tower says it
 * @throws MODEL_UNSUPPORTED for another shape
 */
export function checkEmbeddings(
  output: Tensor,
  count: number,
  dimensions: number | undefined,
  graph: string,
): void {
  const [rows, width] = output.dims;
  const fits =
    output.dims.length === 2 && rows === count && (dimensions === undefined || width === dimensions);
  if (fits) return;
  throw new ClipfleetError(
    'MODEL_UNSUPPORTED',
    `Expected embeddings of ${count} × ${dimensions ?? 'D'} from ${graph}, got ${output.dims.join(' × ')}: ` +
      'the graph is cut before its projection, or of another model.',
  );
}

/** A tower's embeddings, count × D, each made unit. @throws as `checkEmbeddings` does */
export function embeddingsOf(
  output: Tensor,
  count: number,
  dimensions: number | undefined,
  graph: string,
): Float32Array {
  checkEmbeddings(output, count, dimensions, graph);
  return unitRows(floats(output), count);
}
