import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dataType, graphField } from '../src/worker/onnx/onnxProto.ts';
import { floatInitializer, graphValue, initializer, node, onnxModel } from '../src/worker/onnx/onnxWriter.ts';

const DIMENSIONS = 64;
const SIZE = 224;
/** Every 56th pixel of every 56th line: 4 × 4 of three channels. */
const STEP = 56;
const SAMPLES = 3 * (SIZE / STEP) ** 2;
/** Ids of the bundled tokenizer are below it. */
const WORDS = 4_096;
const OPSET = 17;

/**
 * Writes a model that costs next to nothing, in the Hub's layout: a worker's time with it is all that is not the model's.
 * The image's embedding is a few of its pixels times a matrix; the text's the mean of its tokens' vectors.
 */
export async function writeCheapModel(folder: string): Promise<string> {
  await mkdir(join(folder, 'onnx'), { recursive: true });
  await writeFile(join(folder, 'onnx', 'vision_model.onnx'), visionGraph());
  await writeFile(join(folder, 'onnx', 'text_model.onnx'), textGraph());
  for (const file of ['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json'])
    await copyFile(join('models/demo', file), join(folder, file));
  const processor = {
    image_processor_type: 'CLIPImageProcessor',
    size: { shortest_edge: SIZE },
    crop_size: { height: SIZE, width: SIZE },
  };
  await writeFile(join(folder, 'preprocessor_config.json'), JSON.stringify(processor));
  await writeFile(join(folder, 'config.json'), JSON.stringify({ model_type: 'clip' }));
  return folder;
}

function visionGraph(): Buffer {
  return onnxModel(OPSET, [
    node('Slice', ['pixel_values', 'starts', 'ends', 'axes', 'steps'], ['sampled']),
    node('Flatten', ['sampled'], ['flat'], { axis: 1 }),
    node('MatMul', ['flat', 'weights'], ['image_embeds']),
    integers('starts', [0, 0]),
    integers('ends', [SIZE, SIZE]),
    integers('axes', [2, 3]),
    integers('steps', [STEP, STEP]),
    floatInitializer('weights', [SAMPLES, DIMENSIONS], noise(SAMPLES * DIMENSIONS)),
    graphValue(graphField.input, 'pixel_values', dataType.float, ['batch', 3, SIZE, SIZE]),
    graphValue(graphField.output, 'image_embeds', dataType.float, ['batch', DIMENSIONS]),
  ]);
}

function textGraph(): Buffer {
  return onnxModel(OPSET, [
    node('Gather', ['words', 'input_ids'], ['vectors']),
    node('ReduceMean', ['vectors'], ['text_embeds'], { axes: [1], keepdims: 0 }),
    floatInitializer('words', [WORDS, DIMENSIONS], noise(WORDS * DIMENSIONS)),
    graphValue(graphField.input, 'input_ids', dataType.int64, ['batch', 'tokens']),
    graphValue(graphField.output, 'text_embeds', dataType.float, ['batch', DIMENSIONS]),
  ]);
}

function integers(name: string, values: readonly number[]): Buffer {
  const data = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  return initializer(name, dataType.int64, [values.length], data);
}

/** Numbers from -0.5 to 0.5, the same every time. */
function noise(count: number): number[] {
  let state = 1;
  return Array.from({ length: count }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647 - 0.5;
  });
}
