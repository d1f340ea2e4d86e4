import { ClipfleetError } from '../../shared/errors.ts';
import { dataType, graphField } from '../onnx/onnxProto.ts';
import {
  type Attribute,
  externalInitializer,
  floatInitializer,
  graphValue,
  halfInitializer,
  initializer,
  node,
  onnxModel,
} from '../onnx/onnxWriter.ts';
import type { RealPlaces } from '../onnx/realPlaces.ts';
import type { StoredTensor } from './checkpointWeights.ts';

/** The name of a value in the graph that is being written. */
export type Value = string;

/** Rows `from` to before `to` of a tensor. */
export type Rows = readonly [from: number, to: number];

const OPSET = 17;

/** Dtypes of weights, as safetensors and as ONNX name them. */
const weightTypes = {
  F32: { type: dataType.float, bytes: 4 },
  F16: { type: dataType.float16, bytes: 2 },
  BF16: { type: dataType.bfloat16, bytes: 2 },
} as const;

export function isWeightType(dtype: string): dtype is keyof typeof weightTypes {
  return dtype in weightTypes;
}

/** What towers written here compute in. The other formats of ONNX come from exports. */
export type Arithmetic = 'fp32' | 'fp16';

/** What a graph is written over, and what it computes in. */
export interface WeightSource {
  tensors: ReadonlyMap<string, StoredTensor>;
  /** Where the files of the tensors lie. */
  places: RealPlaces;
  arithmetic: Arithmetic;
}

/**
 * A graph of one tower in the making. Operators are those of ONNX; each call adds a node and gives its result's name. Weights are
 * ranges of the checkpoint's files, so that the graph itself is some 50 kB.
 */
export interface TowerGraph {
  op(operator: string, inputs: readonly Value[], attributes?: Record<string, Attribute>, name?: Value): Value;
  /** What the graph computes in; numbers, constants and weights are of it unless it is said otherwise. */
  arithmetic: Arithmetic;
  /** Constants: a number, and whole numbers as a vector or as one. */
  float(value: number): Value;
  integers(values: readonly number[]): Value;
  integer(value: number): Value;
  /** A constant of any shape. */
  floats(values: readonly number[], dims: readonly number[]): Value;
  has(tensor: string): boolean;
  /** @throws MODEL_INVALID where the checkpoint lacks it */
  shapeOf(tensor: string): readonly number[];
  /** Whether a matrix is stored in × out. */
  isSwapped(tensor: string): boolean;
  /** A tensor of the checkpoint, or rows of it, as it is stored: `fits` where that is what the graph computes in. */
  stored(tensor: string, rows?: Rows): { value: Value; fits: boolean };
  /** The same as the graph computes it: weights of another type are cast, which onnxruntime does once, when it loads the graph. */
  weight(tensor: string, rows?: Rows): Value;
  /** A value as the graph computes it. */
  computed(value: Value, name?: Value): Value;
  /** The graph as ONNX. @param inputs as `graphInput` makes them @param width of the rows of `result` */
  finish(inputs: readonly Uint8Array[], result: Value, output: { name: string; width: number }): Buffer;
}

/** An input of a tower. A dimension that varies has a name. */
export function graphInput(
  name: string,
  type: typeof dataType.float | typeof dataType.int64,
  dims: readonly (number | string)[],
): Uint8Array {
  return graphValue(graphField.input, name, type, dims);
}

export function createTowerGraph({ tensors, places, arithmetic }: WeightSource): TowerGraph {
  const content: Uint8Array[] = [];
  const named = new Set<Value>();
  const type = { fp32: dataType.float, fp16: dataType.float16 }[arithmetic];
  let count = 0;

  /** Adds a constant at its first use. */
  const once = (name: Value, make: () => Uint8Array): Value => {
    if (!named.has(name)) content.push(make());
    named.add(name);
    return name;
  };
  const op: TowerGraph['op'] = (operator, inputs, attributes, name = `${operator}.${++count}`) => {
    content.push(node(operator, inputs, [name], attributes));
    return name;
  };
  const constant = (values: readonly number[], dims: readonly number[]) =>
    once(`int64:${dims.join('x')}:${values.join(',')}`, () =>
      initializer(
        `int64:${dims.join('x')}:${values.join(',')}`,
        dataType.int64,
        dims,
        new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
      ),
    );
  const tensorOf = (name: string): StoredTensor => {
    const tensor = tensors.get(name);
    if (tensor) return tensor;
    const files = [...places.locations.keys()].join(', ');
    throw new ClipfleetError(
      'MODEL_INVALID',
      `Expected the tensor ${name} in ${files}, which is not there: config.json and the weights are of two models.`,
    );
  };
  const stored: TowerGraph['stored'] = (name, rows) => {
    const { dtype, shape: logical, file, offset, swapped } = tensorOf(name);
    const shape = swapped ? logical.toReversed() : logical;
    if (!isWeightType(dtype)) {
      throw new ClipfleetError(
        'MODEL_UNSUPPORTED',
        `Expected weights of ${Object.keys(weightTypes).join(', ')}, got ${name} in ${dtype}.`,
      );
    }
    const { type: storedType, bytes } = weightTypes[dtype];
    const [from, to] = rows ?? [0, shape[0]!];
    const dims = [to - from, ...shape.slice(1)];
    const rowBytes = shape.slice(1).reduce((product, dim) => product * dim, bytes);
    const range = {
      location: places.locations.get(file)!,
      offset: offset + from * rowBytes,
      length: (to - from) * rowBytes,
    };
    const value = once(rows ? `${name}[${from}:${to}]` : name, () =>
      externalInitializer(rows ? `${name}[${from}:${to}]` : name, storedType, dims, range),
    );
    return { value, fits: storedType === type };
  };
  const computed: TowerGraph['computed'] = (value, name) => op('Cast', [value], { to: type }, name);
  const constantOf = arithmetic === 'fp16' ? halfInitializer : floatInitializer;

  return {
    arithmetic,
    op,
    integers: (values) => constant(values, [values.length]),
    integer: (value) => constant([value], []),
    float: (value) => once(`float:${value}`, () => constantOf(`float:${value}`, [], [value])),
    floats(values, dims) {
      const name = `floats.${++count}`;
      return once(name, () => constantOf(name, dims, values));
    },
    has: (tensor) => tensors.has(tensor),
    shapeOf: (tensor) => tensorOf(tensor).shape,
    isSwapped: (tensor) => tensorOf(tensor).swapped === true,
    stored,
    weight(tensor, rows) {
      const { value, fits } = stored(tensor, rows);
      return fits ? value : computed(value);
    },
    computed,
    finish(inputs, result, { name, width }) {
      op('Cast', [result], { to: dataType.float }, name);
      const output = graphValue(graphField.output, name, dataType.float, ['count', width]);
      return onnxModel(OPSET, [...content, ...inputs, output]);
    },
  };
}
