import { dataType, fieldsOf, graphField, modelField, tensorTypeOf, textField } from '../onnx/onnxProto.ts';
import { floatInitializer, graphValue, node, prefixOf } from '../onnx/onnxWriter.ts';
import type { Preprocessing } from '../resize/preprocessing.ts';

/** The input of a graph with the prefix: uint8, count × height × width × 3, as the decoder lays pixels. */
export const BYTES_INPUT = 'clipfleet.pixels';

/** The input of an image tower as transformers and Immich export it: float32 or float16, count × 3 × height × width. */
export const FLOAT_INPUTS = ['pixel_values', 'image'];

/**
 * A graph with nodes put in front that make its pixels of the decoder's bytes, as the pieces of its file in order:
 * weights are views of `model`, not copies. Undefined where the graph has no input for them of 32 or 16 bit floats.
 *
 * @throws RangeError where the bytes are no protobuf
 */
export function withPixelPrefix(model: Uint8Array, preprocessing: Preprocessing): Uint8Array[] | undefined {
  const fields = [...fieldsOf(model)];
  const graph = fields.find(({ number }) => number === modelField.graph);
  if (!graph) return undefined;
  const inside = [...fieldsOf(graph.value)];
  const floats = inside.find(
    ({ number, value }) => number === graphField.input && FLOAT_INPUTS.includes(textField(value, 1) ?? ''),
  );
  const type = floats && tensorTypeOf(floats.value);
  if (type !== dataType.float && type !== dataType.float16) return undefined;
  // Nodes must stand in the order they run in, and the first ones of the file are the first of the list.
  const pieces = [
    ...prefixNodes(preprocessing, type, textField(floats!.value, 1)!),
    ...inside.filter((field) => field !== floats).map(({ raw }) => raw),
  ];
  const length = pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return fields.flatMap((field) =>
    field === graph ? [prefixOf(modelField.graph, length), ...pieces] : [field.raw],
  );
}

/**
 * Transposed while they are bytes: on the CPU as fast as afterwards, within what was measured, in a quarter of the memory.
 * Then what numpy does, in the same steps and roundings: a grey level divided by 255, less the mean, divided by the deviation.
 */
function prefixNodes(
  { width, height, rescaleFactor, normalize }: Preprocessing,
  type: typeof dataType.float | typeof dataType.float16,
  input: string,
): Uint8Array[] {
  const content: Uint8Array[] = [
    graphValue(graphField.input, BYTES_INPUT, dataType.uint8, ['clipfleet.count', height, width, 3]),
  ];
  const steps: { operator: string; constant?: string; attributes?: Parameters<typeof node>[3] }[] = [];
  const withConstant = (operator: string, dims: number[], values: readonly number[]) => {
    const constant = `clipfleet.constant.${steps.length}`;
    content.push(floatInitializer(constant, dims, values));
    steps.push({ operator, constant });
  };
  steps.push({ operator: 'Transpose', attributes: { perm: [0, 3, 1, 2] } });
  steps.push({ operator: 'Cast', attributes: { to: dataType.float } });
  // A factor of 1/255 is divided by 255, which float32 holds exactly: the quotients round as numpy's float64 products do.
  if (rescaleFactor !== 1) withConstant('Div', [], [1 / rescaleFactor]);
  if (normalize) {
    withConstant('Sub', [1, 3, 1, 1], normalize.mean);
    withConstant('Div', [1, 3, 1, 1], normalize.std);
  }
  if (type === dataType.float16) steps.push({ operator: 'Cast', attributes: { to: dataType.float16 } });
  let from = BYTES_INPUT;
  for (const [i, { operator, constant, attributes }] of steps.entries()) {
    const to = i === steps.length - 1 ? input : `clipfleet.${i}`;
    content.push(node(operator, constant ? [from, constant] : [from], [to], attributes));
    from = to;
  }
  return content;
}
