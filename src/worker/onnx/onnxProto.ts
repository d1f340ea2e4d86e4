/**
 * As much of ONNX's protobuf format as is needed to read graphs, after onnx.proto3 of the ONNX project; `onnxWriter.ts`
 * writes them. Fields are walked and copied as bytes: weights are never decoded, so that a graph of 2 GB needs no 2 GB of
 * objects.
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
export const dataType = { float: 1, uint8: 2, int32: 6, int64: 7, float16: 10, bfloat16: 16 } as const;

export type DataType = (typeof dataType)[keyof typeof dataType];

/** Wire types of protobuf: what follows a field's key. */
export const VARINT = 0;
export const LENGTH_DELIMITED = 2;

export interface Field {
  number: number;
  /** The whole field, key included. */
  raw: Uint8Array;
  /** The content of the field, which for a length-delimited one is what it is about. */
  value: Uint8Array;
  /** The number of a varint field; 0 for others. */
  integer: number;
}

const FIXED_64 = 1;
const FIXED_32 = 5;

/** A field's place in the bytes that it was found in. */
export interface FieldPlace {
  number: number;
  /** Where the content of a length-delimited field begins, the number of any other. */
  content: number;
  /** Behind its last byte, which may be beyond the bytes. */
  end: number;
  /** The number of a varint field; 0 for others. */
  integer: number;
}

/** The field whose key is at `at`. @throws RangeError where there is none */
export function fieldAt(bytes: Uint8Array, at: number): FieldPlace {
  const key = varintAt(bytes, at);
  const [number, wireType] = [Math.floor(key.value / 8), key.value % 8];
  const place = { number, content: key.end, integer: 0 };
  if (wireType === VARINT) {
    const { value, end } = varintAt(bytes, key.end);
    return { ...place, end, integer: value };
  }
  if (wireType === FIXED_64) return { ...place, end: key.end + 8 };
  if (wireType === FIXED_32) return { ...place, end: key.end + 4 };
  if (wireType !== LENGTH_DELIMITED) throw new RangeError(`wire type ${wireType} at byte ${at}`);
  const length = varintAt(bytes, key.end);
  return { ...place, content: length.end, end: length.end + length.value };
}

function varintAt(bytes: Uint8Array, at: number): { value: number; end: number } {
  let value = 0;
  for (let [factor, end] = [1, at]; ; factor *= 128) {
    const byte = bytes[end++];
    if (byte === undefined) throw new RangeError('the message ends inside a number');
    value += (byte & 127) * factor;
    if (byte < 128) return { value, end };
  }
}

/** The fields of a message, in their order. @throws RangeError where the bytes are no message */
export function* fieldsOf(message: Uint8Array): Generator<Field> {
  for (let at = 0; at < message.length; ) {
    const { number, content, end, integer } = fieldAt(message, at);
    if (end > message.length) throw new RangeError('the message ends inside a field');
    yield { number, raw: message.subarray(at, end), value: message.subarray(content, end), integer };
    at = end;
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
