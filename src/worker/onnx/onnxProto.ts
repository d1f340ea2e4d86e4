/**
 * As much of ONNX's protobuf format as is needed to put nodes in front of a graph and to write small graphs, after
 * onnx.proto3 of the ONNX project. Fields are walked and copied as bytes: weights are never decoded, so that a graph of
 * 2 GB needs no 2 GB of objects.
 */

/** Field numbers of onnx.proto3. */
export const modelField = { irVersion: 1, graph: 7, opsetImport: 8 } as const;
export const graphField = { node: 1, name: 2, initializer: 5, input: 11, output: 12 } as const;
export const tensorField = {
  dims: 1,
  dataType: 2,
  name: 8,
  rawData: 9,
  externalData: 13,
  dataLocation: 14,
} as const;

/** Element types (TensorProto.DataType). */
export const dataType = { float: 1, uint8: 2, int32: 6, int64: 7, float16: 10 } as const;

export interface Field {
  number: number;
  /** The whole field, key included. */
  raw: Uint8Array;
  /** The content of a length-delimited field; empty for others. */
  value: Uint8Array;
  /** The number of a varint field; 0 for others. */
  integer: number;
}

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

/** The fields of a message, in their order. @throws RangeError where the bytes are no message */
export function* fieldsOf(message: Uint8Array): Generator<Field> {
  let at = 0;
  const readVarint = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at++];
      if (byte === undefined) throw new RangeError('the message ends inside a number');
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const start = at;
    const key = readVarint();
    const field = { number: Math.floor(key / 8), raw: message, value: message.subarray(0, 0), integer: 0 };
    const wireType = key % 8;
    if (wireType === VARINT) field.integer = readVarint();
    else if (wireType === FIXED_64) at += 8;
    else if (wireType === FIXED_32) at += 4;
    else if (wireType === LENGTH_DELIMITED) {
      const length = readVarint();
      field.value = message.subarray(at, at + length);
      at += length;
    } else throw new RangeError(`wire type ${wireType} at byte ${start}`);
    if (at > message.length) throw new RangeError('the message ends inside a field');
    field.raw = message.subarray(start, at);
    yield field;
  }
}

/** The text of the first field of that number, or undefined. */
export function textField(message: Uint8Array, number: number): string | undefined {
  for (const field of fieldsOf(message)) {
    if (field.number === number) return Buffer.from(field.value).toString('utf8');
  }
  return undefined;
}

/** The content of the first field of that number, or of nothing. */
function contentOf(message: Uint8Array, number: number): Uint8Array {
  for (const field of fieldsOf(message)) if (field.number === number) return field.value;
  return new Uint8Array();
}

/** The element type of a graph's input or output that is a tensor; 0 for others. */
export function tensorTypeOf(value: Uint8Array): number {
  const tensorType = contentOf(contentOf(value, 2), 1);
  for (const { number, integer } of fieldsOf(tensorType)) if (number === 1) return integer;
  return 0;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  bytes.push(value);
  return Buffer.from(bytes);
}

/** The key and length that stand before the content of a length-delimited field. */
export function prefixOf(number: number, length: number): Buffer {
  return Buffer.concat([varint(number * 8 + LENGTH_DELIMITED), varint(length)]);
}

export function bytesField(number: number, ...content: Uint8Array[]): Buffer {
  const length = content.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return Buffer.concat([prefixOf(number, length), ...content]);
}

export function stringField(number: number, text: string): Buffer {
  return bytesField(number, Buffer.from(text, 'utf8'));
}

/** @param value 0 or a positive whole number */
export function integerField(number: number, value: number): Buffer {
  return Buffer.concat([varint(number * 8 + VARINT), varint(value)]);
}

const attributeField = { name: 1, integer: 3, integers: 8, type: 20 } as const;
const attributeType = { integer: 2, integers: 7 } as const;

/** An attribute of a whole number or a list of them. */
function attribute(name: string, value: number | readonly number[]): Buffer {
  const content =
    typeof value === 'number'
      ? [
          integerField(attributeField.integer, value),
          integerField(attributeField.type, attributeType.integer),
        ]
      : [
          ...value.map((one) => integerField(attributeField.integers, one)),
          integerField(attributeField.type, attributeType.integers),
        ];
  return bytesField(5, stringField(attributeField.name, name), ...content);
}

/** A node of a graph: operator, names of its inputs and outputs, attributes (0 or positive). */
export function node(
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Record<string, number | readonly number[]> = {},
): Buffer {
  return bytesField(
    graphField.node,
    ...inputs.map((name) => stringField(1, name)),
    ...outputs.map((name) => stringField(2, name)),
    stringField(4, operator),
    ...Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  );
}

/** A constant of a graph. */
export function initializer(
  name: string,
  type: (typeof dataType)[keyof typeof dataType],
  dims: readonly number[],
  data: Uint8Array,
): Buffer {
  return bytesField(
    graphField.initializer,
    ...dims.map((dim) => integerField(tensorField.dims, dim)),
    integerField(tensorField.dataType, type),
    stringField(tensorField.name, name),
    bytesField(tensorField.rawData, data),
  );
}

export function floatInitializer(name: string, dims: readonly number[], values: readonly number[]): Buffer {
  const { buffer } = Float32Array.from(values);
  return initializer(name, dataType.float, dims, new Uint8Array(buffer));
}

/** An input or output of a graph; a dimension that varies has a name. */
export function graphValue(
  field: typeof graphField.input | typeof graphField.output,
  name: string,
  type: (typeof dataType)[keyof typeof dataType],
  dims: readonly (number | string)[],
): Buffer {
  const dimension = (dim: number | string) =>
    bytesField(1, typeof dim === 'number' ? integerField(1, dim) : stringField(2, dim));
  const tensorType = [integerField(1, type), bytesField(2, ...dims.map(dimension))];
  return bytesField(field, stringField(1, name), bytesField(2, bytesField(1, ...tensorType)));
}

/** A whole model of one graph, for onnxruntime: `content` are its nodes, constants, inputs and outputs. */
export function onnxModel(opset: number, content: readonly Uint8Array[]): Buffer {
  return Buffer.concat([
    integerField(modelField.irVersion, 8),
    bytesField(modelField.graph, ...content, stringField(graphField.name, 'clipfleet')),
    bytesField(modelField.opsetImport, integerField(2, opset)),
  ]);
}
