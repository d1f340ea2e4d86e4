/** Weights over 2 GB lie beside the graph: `model.onnx_data`, `model.onnx_data_1`, or `model.onnx.data`. */
export function namedAfterGraph(listed: readonly string[], graph: string): string[] {
  return listed.filter(
    (path) => path.startsWith(graph) && /^[_.]data(_\d+)?$/.test(path.slice(graph.length)),
  );
}
