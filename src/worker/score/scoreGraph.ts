import type { LabelSet } from '../../shared/labels/labelSet.ts';
import { dataType, graphField, tensorField } from '../onnx/onnxProto.ts';
import {
  bytesField,
  floatInitializer,
  graphValue,
  initializer,
  integerField,
  node,
  onnxModel,
  stringField,
} from '../onnx/onnxWriter.ts';
import type { Scoring } from './rank.ts';

/** All that a label set's graph is made of besides its matrix; plain data, so that it can be sent to a thread. */
export interface ScoreSpec {
  labels: number;
  dimensions: number;
  scoreFunction: NonNullable<LabelSet['scoreFunction']>;
  logitScale: number;
  logitBias: number;
  temperature: number;
  /** How many labels an image is given at most. */
  topK: number;
  /** The least score of each label that is reported, +Infinity for a negative one; absent when all are reported. */
  thresholds: Float32Array | undefined;
  outputs: NonNullable<LabelSet['outputs']>;
}

/** Where the graph looks for the matrix: it is handed over beside the graph, so that it is copied once less. */
export const MATRIX = 'matrix';

/** Beyond these a float32 has no room for a logit of 1e6 divided by it; no score comes out differently. */
const [TEMPERATURE_MIN, TEMPERATURE_MAX] = [1e-30, 1e30];

/** What scores a label set under a model's scale. */
export function scoreSpecOf(set: LabelSet, scoring: Scoring, dimensions: number): ScoreSpec {
  const { labels, threshold = -Infinity, temperature = 1, topK = labels.length } = set;
  const least = labels.map((label) => (label.negative ? Infinity : floatFrom(label.threshold ?? threshold)));
  return {
    labels: labels.length,
    dimensions,
    scoreFunction: set.scoreFunction ?? scoring.scoreFunction,
    logitScale: scoring.logitScale,
    logitBias: scoring.logitBias,
    temperature: Math.min(Math.max(temperature, TEMPERATURE_MIN), TEMPERATURE_MAX),
    topK: Math.min(topK, labels.length),
    thresholds: least.some((score) => score > -Infinity) ? Float32Array.from(least) : undefined,
    outputs: set.outputs ?? [],
  };
}

/** The smallest float32 that is not below the number: no score is reported that is below its threshold as written. */
function floatFrom(value: number): number {
  const nearest = Math.fround(value);
  if (nearest >= value) return nearest;
  const bits = new Int32Array(Float32Array.of(nearest).buffer);
  bits[0]! += nearest < 0 ? -1 : 1;
  // What lies next above zero is the smallest of all, whatever sign the zero has.
  return nearest === 0 ? 2 ** -149 : new Float32Array(bits.buffer)[0]!;
}

/**
 * The graph that ranks images by one label set, as `rankLabels` does, in float32: one matrix product for all images, and
 * the top k without sorting the rest.
 *
 * `embeddings` (n × D) go in. Out come `sums` (n; not finite where an embedding is not), and n × k, best first, equal
 * scores by the lower place: `indices`, `scores` (-Infinity past the last label that is reported), and `logit` and
 * `cosine` where they are asked for.
 */
export function scoreGraph(spec: ScoreSpec): Uint8Array {
  const { labels, dimensions, topK, thresholds, outputs, logitScale, logitBias } = spec;
  const masked = thresholds ? 'reported' : 'all';
  const output = (name: string, type: (typeof dataType)[keyof typeof dataType] = dataType.float) =>
    graphValue(graphField.output, name, type, ['n', topK]);
  return onnxModel(17, [
    node('Gemm', ['embeddings', MATRIX], ['cosines'], { transB: 1 }),
    node('ReduceSum', ['cosines', 'axis'], ['sums'], { keepdims: 0 }),
    node('Mul', ['cosines', 'logitScale'], ['scaled']),
    node('Add', ['scaled', 'logitBias'], ['logits']),
    ...scoreNodes(spec, 'all'),
    ...(thresholds ? maskNodes(thresholds, 'all', masked) : []),
    node('TopK', [masked, 'k'], ['scores', 'places']),
    node('Cast', ['places'], ['indices'], { to: dataType.int32 }),
    ...outputs.map((name) => node('GatherElements', [`${name}s`, 'places'], [name], { axis: 1 })),
    matrixInitializer(labels, dimensions),
    integers('axis', [1]),
    integers('k', [topK]),
    floatInitializer('logitScale', [], [logitScale]),
    floatInitializer('logitBias', [], [logitBias]),
    graphValue(graphField.input, 'embeddings', dataType.float, ['n', dimensions]),
    graphValue(graphField.output, 'sums', dataType.float, ['n']),
    output('scores'),
    output('indices', dataType.int32),
    ...outputs.map((name) => output(name)),
  ]);
}

/** From logits to scores; the formulas and their sources are in rank.ts. */
function scoreNodes({ scoreFunction, temperature }: ScoreSpec, scores: string): Uint8Array[] {
  const tempered = [
    floatInitializer('temperature', [], [temperature]),
    node('Div', ['logits', 'temperature'], ['tempered']),
  ];
  switch (scoreFunction) {
    case 'softmax':
      return [...tempered, node('Softmax', ['tempered'], [scores])];
    case 'sigmoid':
      // Not onnxruntime's own Sigmoid: below -10 it is off by more than 0.02 % of the score, at -16 by half of it, and
      // from -18 on it gives 0. SigLIP's logits begin at -13.
      return [
        ...tempered,
        floatInitializer('one', [], [1]),
        node('Neg', ['tempered'], ['negated']),
        node('Exp', ['negated'], ['odds against']),
        node('Add', ['odds against', 'one'], ['shares']),
        node('Reciprocal', ['shares'], [scores]),
      ];
    case 'cosine':
      return [node('Identity', ['cosines'], [scores])];
    case 'logit':
      return [node('Identity', ['logits'], [scores])];
  }
}

/** Before the top k are taken, so that they are k of what is reported. */
function maskNodes(thresholds: Float32Array, scores: string, masked: string): Uint8Array[] {
  return [
    floatInitializer('nothing', [], [-Infinity]),
    initializer('thresholds', dataType.float, [thresholds.length], new Uint8Array(thresholds.buffer)),
    node('GreaterOrEqual', [scores, 'thresholds'], ['above']),
    node('Where', ['above', scores, 'nothing'], [masked]),
  ];
}

function integers(name: string, values: readonly number[]): Uint8Array {
  const { buffer } = BigInt64Array.from(values, BigInt);
  return initializer(name, dataType.int64, [values.length], new Uint8Array(buffer));
}

/** A constant whose numbers are elsewhere: they need not pass through protobuf, which holds 2 GB at most. */
function matrixInitializer(labels: number, dimensions: number): Uint8Array {
  const EXTERNAL = 1;
  return bytesField(
    graphField.initializer,
    integerField(tensorField.dims, labels),
    integerField(tensorField.dims, dimensions),
    integerField(tensorField.dataType, dataType.float),
    stringField(tensorField.name, MATRIX),
    bytesField(tensorField.externalData, stringField(1, 'location'), stringField(2, MATRIX)),
    integerField(tensorField.dataLocation, EXTERNAL),
  );
}
