// Small graphs and models, written for a test.
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  dataType,
  type Field,
  fieldsOf,
  graphField,
  modelField,
  tensorField,
  textField,
} from '../../src/worker/onnx/onnxProto.ts';
import {
  bytesField,
  graphValue,
  initializer,
  integerField,
  node,
  onnxModel,
  stringField,
} from '../../src/worker/onnx/onnxWriter.ts';
import { demoModel, repository } from './fleet.ts';
import { temporaryFolder } from './support.ts';

const small = ['config.json', 'preprocessor_config.json', 'tokenizer.json', 'tokenizer_config.json'];

type FloatType = typeof dataType.float | typeof dataType.float16;

/** A small random CLIP as the Hub has exports, with both towers and the joint graph. */
export const exportedModel = join(repository, 'test/golden/models/clip');

/** A folder called `tiny` with a model's small files and these graphs, by their file's name; the demo's files for towers of three dimensions. */
export async function modelWith(
  t: TestContext,
  graphs: Record<string, Uint8Array>,
  like?: string,
): Promise<string> {
  const dir = join(await temporaryFolder(t), 'tiny');
  await mkdir(join(dir, 'onnx'), { recursive: true });
  for (const name of small) await copyFile(join(like ?? demoModel, name), join(dir, name));
  if (!like) {
    const config = JSON.parse(await readFile(join(dir, 'config.json'), 'utf8'));
    await writeFile(join(dir, 'config.json'), JSON.stringify({ ...config, projection_dim: 3 }));
  }
  for (const [name, bytes] of Object.entries(graphs)) await writeFile(join(dir, 'onnx', name), bytes);
  return dir;
}

/** A graph of the CLIP that is kept as an export, for images of 32 × 32. */
export const exportedGraph = (name: string) => readFile(join(exportedModel, 'onnx', name));

/** A graph whose `image_embeds` are its `pixel_values`, to see what goes in. */
export function mirrorGraph(type: FloatType): Uint8Array {
  return onnxModel(17, [
    node('Flatten', ['pixel_values'], ['image_embeds'], { axis: 1 }),
    graphValue(graphField.input, 'pixel_values', type, ['N', 3, 'H', 'W']),
    graphValue(graphField.output, 'image_embeds', type, ['N', 'D']),
  ]);
}

const imageInput = (type: FloatType, count: number | 'N' = 'N') =>
  graphValue(graphField.input, 'pixel_values', type, [count, 3, 64, 64]);

/** Three dimensions: the mean of each channel. @param count images that it takes together, where it takes no other number */
export function smallImageTower(type: FloatType, count?: number): Uint8Array {
  return onnxModel(17, [
    node('Cast', ['pixel_values'], ['floats'], { to: dataType.float }),
    node('GlobalAveragePool', ['floats'], ['pooled']),
    node('Flatten', ['pooled'], ['flat'], { axis: 1 }),
    node('Cast', ['flat'], ['image_embeds'], { to: type }),
    imageInput(type, count),
    graphValue(graphField.output, 'image_embeds', type, [count ?? 'N', 3]),
  ]);
}

/** Three dimensions: the tokens' greatest number, their mean and their length as a vector. */
export function smallTextTower(type: FloatType): Uint8Array {
  return onnxModel(17, [
    node('Cast', ['input_ids'], ['ids'], { to: dataType.float }),
    node('ReduceMax', ['ids'], ['max'], { axes: [1] }),
    node('ReduceMean', ['ids'], ['mean'], { axes: [1] }),
    node('ReduceL2', ['ids'], ['length'], { axes: [1] }),
    node('Concat', ['max', 'mean', 'length'], ['all'], { axis: 1 }),
    node('Cast', ['all'], ['text_embeds'], { to: type }),
    graphValue(graphField.input, 'input_ids', dataType.int64, ['N', 'L']),
    graphValue(graphField.output, 'text_embeds', type, ['N', 3]),
  ]);
}

/** Three dimensions, all zero: a tower that knows no word. */
export function blindTextTower(): Uint8Array {
  return onnxModel(17, [
    node('Cast', ['input_ids'], ['ids'], { to: dataType.float }),
    node('ReduceMax', ['ids'], ['max'], { axes: [1] }),
    node('Sub', ['max', 'max'], ['zero']),
    node('Concat', ['zero', 'zero', 'zero'], ['text_embeds'], { axis: 1 }),
    graphValue(graphField.input, 'input_ids', dataType.int64, ['N', 'L']),
    graphValue(graphField.output, 'text_embeds', dataType.float, ['N', 3]),
  ]);
}

/**
 * The mean of each channel, by way of 96 ^ count zeros: 4 images need 340 MB of them, 8 more than any process can address.
 */
export function steepImageTower(): Uint8Array {
  const base = new Uint8Array(BigInt64Array.of(96n).buffer);
  return onnxModel(17, [
    initializer('base', dataType.int64, [1], base),
    node('Shape', ['pixel_values'], ['count'], { start: 0, end: 1 }),
    node('Pow', ['base', 'count'], ['dims']),
    node('ConstantOfShape', ['dims'], ['zeros']),
    node('ReduceMax', ['zeros'], ['zero'], { keepdims: 0 }),
    node('GlobalAveragePool', ['pixel_values'], ['pooled']),
    node('Flatten', ['pooled'], ['flat'], { axis: 1 }),
    node('Add', ['flat', 'zero'], ['image_embeds']),
    imageInput(dataType.float),
    graphValue(graphField.output, 'image_embeds', dataType.float, ['N', 3]),
  ]);
}

/**
 * The mean of each channel, by way of products of k × k zeros, where k is 1 for a black image and some 4,000 for a white one:
 * minutes of arithmetic.
 */
export function slowForBrightImages(): Uint8Array {
  const floatsOf = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
  const products = Array.from({ length: 100 }, (_, i) => node('MatMul', [`p${i}`, 'p0'], [`p${i + 1}`]));
  return onnxModel(17, [
    initializer('times', dataType.float, [1], floatsOf(2_000)),
    initializer('one', dataType.float, [1], floatsOf(1)),
    node('Flatten', ['pixel_values'], ['all'], { axis: 0 }),
    node('ReduceMax', ['all'], ['brightest'], { axes: [0, 1], keepdims: 0 }),
    node('Mul', ['brightest', 'times'], ['scaled']),
    node('Max', ['scaled', 'one'], ['size']),
    node('Cast', ['size'], ['k'], { to: dataType.int64 }),
    node('Concat', ['k', 'k'], ['dims'], { axis: 0 }),
    node('ConstantOfShape', ['dims'], ['p0']),
    ...products,
    node('ReduceMax', ['p100'], ['zero'], { keepdims: 0 }),
    node('GlobalAveragePool', ['pixel_values'], ['pooled']),
    node('Flatten', ['pooled'], ['flat'], { axis: 1 }),
    node('Add', ['flat', 'zero'], ['image_embeds']),
    imageInput(dataType.float),
    graphValue(graphField.output, 'image_embeds', dataType.float, ['N', 3]),
  ]);
}

/** The graph with the data of its large constants in a file of their own, and that file. */
export function withExternalData(model: Uint8Array, location: string): { graph: Buffer; data: Buffer } {
  const moved: Uint8Array[] = [];
  let offset = 0;
  const entry = (key: string, value: string) =>
    bytesField(tensorField.externalData, stringField(1, key), stringField(2, value));
  const move = (tensor: Field): Uint8Array => {
    const fields = [...fieldsOf(tensor.value)];
    const raw = fields.find(({ number }) => number === tensorField.rawData);
    if (!raw || raw.value.length < 1_024) return tensor.raw;
    const entries = [
      entry('location', location),
      entry('offset', String(offset)),
      entry('length', String(raw.value.length)),
    ];
    moved.push(raw.value);
    offset += raw.value.length;
    const kept = fields.filter((field) => field !== raw).map((field) => field.raw);
    // Its data_location: external.
    return bytesField(graphField.initializer, ...kept, ...entries, integerField(14, 1));
  };
  const fields = [...fieldsOf(model)].map((field) => {
    if (field.number !== modelField.graph) return field.raw;
    const inside = [...fieldsOf(field.value)];
    const content = inside.map((each) => (each.number === graphField.initializer ? move(each) : each.raw));
    return bytesField(modelField.graph, ...content);
  });
  return { graph: Buffer.concat(fields), data: Buffer.concat(moved) };
}

/** A text graph that takes its ids as `text`, in another type or shape than it was exported for. */
export function withTextInput(
  model: Uint8Array,
  type: typeof dataType.int32 | typeof dataType.int64,
  dims: readonly (number | string)[],
): Buffer {
  const isIds = ({ number, value }: Field) =>
    number === graphField.input && textField(value, 1) === 'input_ids';
  const front = [
    node('Cast', ['text'], ['input_ids'], { to: dataType.int64 }),
    graphValue(graphField.input, 'text', type, dims),
  ];
  const fields = [...fieldsOf(model)].map((field) => {
    if (field.number !== modelField.graph) return field.raw;
    const kept = [...fieldsOf(field.value)].filter((each) => !isIds(each)).map(({ raw }) => raw);
    return bytesField(modelField.graph, ...front, ...kept);
  });
  return Buffer.concat(fields);
}
