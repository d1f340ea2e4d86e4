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
  /** The content of a length-delimited field; empty for others. */
  value: Uint8Array;
  /** The number of a varint field; 0 for others. */
  integer: number;
}

const FIXED_64 = 1;
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
