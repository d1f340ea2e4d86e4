import { type Graph, openWrittenGraph, runOnFloats } from '../onnx/graph.ts';
import { type Answered, serveThread } from '../onnx/threadServer.ts';
import { MATRIX, scoreGraph } from './scoreGraph.ts';
import type { RankedRows, ScorerRequest } from './scorer.ts';

/** The scoring thread: a graph for each label set that it was given and not told to let go. */
const graphs = new Map<number, Graph>();

await serveThread<ScorerRequest, undefined>(async () => ({ ready: undefined, answer }), 'INTERNAL');

async function answer(request: ScorerRequest): Promise<Answered> {
  if (request.kind === 'take') {
    const { spec, data, threads } = request;
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    graphs.set(request.set, await openWrittenGraph(scoreGraph(spec), { [MATRIX]: bytes }, threads));
    return { answer: undefined };
  }
  const graph = graphs.get(request.set);
  if (request.kind === 'letGo') {
    graphs.delete(request.set);
    await graph?.release();
    return { answer: undefined };
  }
  const { embeddings: data, count } = request;
  const embeddings = { data, dims: [count, data.length / count] };
  const outputs = await runOnFloats(graph!, { embeddings });
  const rows = Object.fromEntries(
    Object.entries(outputs).map(([name, tensor]) => [name, tensor.data]),
  ) as unknown as RankedRows;
  return { answer: rows, moved: Object.values(rows).map(({ buffer }) => buffer) };
}
