/**
 * Writes ONNX graphs in protobuf, after onnx.proto3 of the ONNX project: nodes, constants, inputs and outputs, each as the bytes
 * of its field.
 */
import { toHalf } from '../../shared/embeddings/half.ts';
import {
  type DataType,
  dataType,
  graphField,
  LENGTH_DELIMITED,
  modelField,
  tensorField,
  VARINT,
} from './onnxProto.ts';

/** @param value a whole number; a negative one takes 10 bytes, as its complement to 2^64 */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
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

export function integerField(number: number, value: number): Buffer {
  return Buffer.concat([varint(number * 8 + VARINT), varint(value)]);
}

const attributeField = { name: 1, float: 2, integer: 3, integers: 8, type: 20 } as const;
const attributeType = { float: 1, integer: 2, integers: 7 } as const;
const FIXED_32 = 5;

/** What an attribute of a node may be: a whole number, a list of them, or a float, which JavaScript has no type of its own for. */
export type Attribute = number | readonly number[] | { float: number };

function attribute(name: string, value: Attribute): Buffer {
  return bytesField(5, stringField(attributeField.name, name), ...attributeValue(value));
}

function attributeValue(value: Attribute): Buffer[] {
  const typed = (type: number) => integerField(attributeField.type, type);
  if (typeof value === 'number') {
    return [integerField(attributeField.integer, value), typed(attributeType.integer)];
  }
  if ('float' in value) {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value.float);
    return [varint(attributeField.float * 8 + FIXED_32), bytes, typed(attributeType.float)];
  }
  const integers = value.map((one) => integerField(attributeField.integers, one));
  return [...integers, typed(attributeType.integers)];
}

/** A node of a graph: operator, names of its inputs and outputs, attributes. */
export function node(
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Record<string, Attribute> = {},
): Buffer {
  return bytesField(
    graphField.node,
    ...inputs.map((name) => stringField(1, name)),
    ...outputs.map((name) => stringField(2, name)),
    stringField(3, outputs[0]!),
    stringField(4, operator),
    ...Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  );
}

/** A constant of a graph. */
export function initializer(name: string, type: DataType, dims: readonly number[], data: Uint8Array): Buffer {
  return bytesField(
    graphField.initializer,
    ...dims.map((dim) => integerField(tensorField.dims, dim)),
    integerField(tensorField.dataType, type),
    stringField(tensorField.name, name),
    bytesField(tensorField.rawData, data),
  );
}

/** Where the bytes of a constant lie: a file, by its path from the folder that the session is told of, and a range in it. */
export interface ExternalRange {
  location: string;
  /** In bytes, from the file's beginning. */
  offset: number;
  /** In bytes; absent for all that follows. */
  length?: number;
}

/** Fields of a TensorProto that say its data is elsewhere. */
export function externalDataFields({ location, offset, length }: ExternalRange): Buffer[] {
  const entries = { location, offset, ...(length !== undefined && { length }) };
  return [
    ...Object.entries(entries).map(([key, value]) =>
      bytesField(tensorField.externalData, stringField(1, key), stringField(2, String(value))),
    ),
    integerField(tensorField.dataLocation, EXTERNAL),
  ];
}

/** TensorProto.DataLocation. */
const EXTERNAL = 1;

/** A constant of a graph whose bytes are a range of a file, row-major and little-endian as ONNX keeps its own. */
export function externalInitializer(
  name: string,
  type: DataType,
  dims: readonly number[],
  range: ExternalRange,
): Buffer {
  return bytesField(
    graphField.initializer,
    ...dims.map((dim) => integerField(tensorField.dims, dim)),
    integerField(tensorField.dataType, type),
    stringField(tensorField.name, name),
    ...externalDataFields(range),
  );
}

export function floatInitializer(name: string, dims: readonly number[], values: readonly number[]): Buffer {
  const { buffer } = Float32Array.from(values);
  return initializer(name, dataType.float, dims, new Uint8Array(buffer));
}

/** The same in float16. */
export function halfInitializer(name: string, dims: readonly number[], values: readonly number[]): Buffer {
  const { buffer } = toHalf(Float32Array.from(values));
  return initializer(name, dataType.float16, dims, new Uint8Array(buffer));
}

/** An input or output of a graph; a dimension that varies has a name. */
export function graphValue(
  field: typeof graphField.input | typeof graphField.output,
  name: string,
  type: DataType,
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
