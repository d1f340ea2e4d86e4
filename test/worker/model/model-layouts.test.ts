// Models as people have them: the same answers whatever the layout, and refusals at the start for what would answer wrongly.
import assert from 'node:assert/strict';
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readModelFiles } from '../../../src/worker/model/model.ts';
import { dataType, graphField } from '../../../src/worker/onnx/onnxProto.ts';
import { graphValue, node, onnxModel } from '../../../src/worker/onnx/onnxWriter.ts';
import { checkpointModel } from '../../support/checkpointGoldens.ts';
import { startOnCpu } from '../../support/cpuModel.ts';
import { largestDifference } from '../../support/goldens.ts';
import {
  exportedModel,
  modelWith,
  smallImageTower,
  smallTextTower,
  withTextInput,
} from '../../support/graphs.ts';
import { temporaryFolder } from '../../support/support.ts';

const given = { batchSize: 2, logitScale: 100, logitBias: 0 };

/** A copy of the small CLIP that is kept as an export, without its joint graph. */
async function exported(t: TestContext): Promise<string> {
  const dir = join(await temporaryFolder(t), 'clip');
  await cp(exportedModel, dir, { recursive: true });
  await rm(join(dir, 'onnx/model.onnx'));
  return dir;
}

async function start(t: TestContext, dir: string) {
  const model = await startOnCpu(await readModelFiles({ dir, dtype: 'fp32' }), given);
  t.after(() => model.session.close());
  return model;
}

const prompts = ['a photo of an owl', 'x', 'a red car on a long street by the sea'];

async function answers(t: TestContext, dir: string) {
  const { session, preprocessing } = await start(t, dir);
  const { width, height } = preprocessing;
  const pixels = Uint8Array.from({ length: 3 * width * height * 3 }, (_, i) => (i * 37) % 251);
  const images = await session.embedImages(pixels, 3);
  return { images, texts: (await session.embedTexts(prompts)).embeddings };
}

async function assertSame(t: TestContext, dir: string, reference: string): Promise<void> {
  const [ours, theirs] = [await answers(t, dir), await answers(t, reference)];
  assert.ok(largestDifference(ours.images, theirs.images) < 1e-5, 'images');
  assert.ok(largestDifference(ours.texts, theirs.texts) < 1e-5, 'texts');
}

const readJson = async (path: string) => JSON.parse(await readFile(path, 'utf8'));

const layouts: Record<string, (dir: string) => Promise<void>> = {
  'processor_config.json alone, as transformers 5 saves it': async (dir) => {
    const image_processor = await readJson(join(dir, 'preprocessor_config.json'));
    await writeFile(join(dir, 'processor_config.json'), JSON.stringify({ image_processor }));
    await rm(join(dir, 'preprocessor_config.json'));
  },
  'graphs at the top, as optimum leaves them': async (dir) => {
    for (const name of ['vision_model.onnx', 'text_model.onnx'])
      await rename(join(dir, 'onnx', name), join(dir, name));
  },
  'no tokenizer_config.json': (dir) => rm(join(dir, 'tokenizer_config.json')),
  'sizes as lists': async (dir) => {
    const path = join(dir, 'preprocessor_config.json');
    await writeFile(path, JSON.stringify({ ...(await readJson(path)), crop_size: [32, 32] }));
  },
  'visual/ and textual/, as Immich has them': async (dir) => {
    for (const folder of ['visual', 'textual']) await mkdir(join(dir, folder));
    await rename(join(dir, 'onnx/vision_model.onnx'), join(dir, 'visual/model.onnx'));
    await rename(join(dir, 'onnx/text_model.onnx'), join(dir, 'textual/model.onnx'));
    for (const name of ['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json'])
      await rename(join(dir, name), join(dir, 'textual', name));
    const { image_mean: mean, image_std: std } = await readJson(join(dir, 'preprocessor_config.json'));
    const processor = {
      size: [32, 32],
      mode: 'RGB',
      mean,
      std,
      interpolation: 'bicubic',
      resize_mode: 'shortest',
    };
    await writeFile(join(dir, 'visual/preprocess_cfg.json'), JSON.stringify(processor));
    await rm(join(dir, 'preprocessor_config.json'));
    const config = { embed_dim: 24, vision_cfg: { image_size: 32 }, text_cfg: { context_length: 77 } };
    await writeFile(join(dir, 'config.json'), JSON.stringify(config));
  },
};

for (const [title, change] of Object.entries(layouts)) {
  test(`${title}: the answers are the same`, async (t) => {
    const dir = await exported(t);
    await change(dir);
    await assertSame(t, dir, exportedModel);
  });
}

test('towers that were saved each by itself, with their projections, are those of the whole', async (t) => {
  const whole = await checkpointModel(t, 'clip');
  const dir = join(await temporaryFolder(t), 'towers');
  const config = await readJson(join(whole, 'config.json'));
  for (const [folder, type, side] of [
    ['image_encoder', 'clip_vision_model', 'vision_config'],
    ['text_encoder', 'clip_text_model', 'text_config'],
  ] as const) {
    await mkdir(join(dir, folder), { recursive: true });
    await cp(join(whole, 'model.safetensors'), join(dir, folder, 'model.safetensors'));
    await writeFile(join(dir, folder, 'config.json'), JSON.stringify({ ...config[side], model_type: type }));
  }
  for (const [folder, names] of [
    ['tokenizer', ['tokenizer.json', 'tokenizer_config.json']],
    ['image_processor', ['preprocessor_config.json']],
  ] as const) {
    await mkdir(join(dir, folder));
    for (const name of names) await cp(join(whole, name), join(dir, folder, name));
  }
  await assertSame(t, dir, whole);
});

/** Shapes and types of ids that exporters fix. */
const inputs: Record<
  string,
  [type: typeof dataType.int32 | typeof dataType.int64, dims: (number | string)[]]
> = {
  'texts of 77 tokens': [dataType.int64, ['N', 77]],
  'one text at a time': [dataType.int64, [1, 'L']],
  'ids of 32 bits': [dataType.int32, ['N', 'L']],
  'one text of 77 tokens with ids of 32 bits, as Immich has them': [dataType.int32, [1, 77]],
};

for (const [title, [type, dims]] of Object.entries(inputs)) {
  test(`a text graph that takes ${title} is fed as it wants`, async (t) => {
    const dir = await exported(t);
    const path = join(dir, 'onnx/text_model.onnx');
    await writeFile(path, withTextInput(await readFile(path), type, dims));
    await assertSame(t, dir, exportedModel);
  });
}

const float = dataType.float;

test('a tower that is cut before its projection is refused at the start, by its file', async (t) => {
  const cut = onnxModel(17, [
    node('Flatten', ['pixel_values'], ['pooler_output'], { axis: 1 }),
    graphValue(graphField.input, 'pixel_values', float, ['N', 3, 64, 64]),
    graphValue(graphField.output, 'pooler_output', float, ['N', 'D']),
  ]);
  const text = smallTextTower(float);
  const cutImage = await modelWith(t, { 'vision_model.onnx': cut, 'text_model.onnx': text });
  await assert.rejects(start(t, cutImage), {
    code: 'MODEL_UNSUPPORTED',
    message: /vision_model\.onnx, got pooler_output\..*projection/,
  });
  const wide = onnxModel(17, [
    node('Flatten', ['pixel_values'], ['image_embeds'], { axis: 1 }),
    graphValue(graphField.input, 'pixel_values', float, ['N', 3, 64, 64]),
    graphValue(graphField.output, 'image_embeds', float, ['N', 'D']),
  ]);
  const unprojected = await modelWith(t, { 'vision_model.onnx': wide, 'text_model.onnx': text });
  await assert.rejects(start(t, unprojected), {
    code: 'MODEL_UNSUPPORTED',
    message: /2 × 3 from .*vision_model\.onnx, got 2 × 12288/,
  });
});

test('what is wrong with the text tower is said at the start, by its file', async (t) => {
  const vision = smallImageTower(float);
  const foreign = onnxModel(17, [
    node('Identity', ['sentence'], ['text_embeds']),
    graphValue(graphField.input, 'sentence', float, ['N', 3]),
    graphValue(graphField.output, 'text_embeds', float, ['N', 3]),
  ]);
  const flat = onnxModel(17, [
    node('Cast', ['input_ids'], ['text_embeds'], { to: float }),
    graphValue(graphField.input, 'input_ids', dataType.int64, ['N', 'L']),
    graphValue(graphField.output, 'text_embeds', float, ['N', 'L']),
  ]);
  for (const [text, message] of [
    [foreign, /input 'sentence'/],
    [flat, /6 × 3 from .*text_model\.onnx, got 6 × \d/],
  ] as const) {
    const dir = await modelWith(t, { 'vision_model.onnx': vision, 'text_model.onnx': text });
    await assert.rejects(start(t, dir), { code: 'MODEL_UNSUPPORTED', message });
  }
  const dir = await modelWith(t, {
    'vision_model.onnx': vision,
    'text_model.onnx': Buffer.from([0x3a, 2, 0x0a, 0]),
  });
  await assert.rejects(start(t, dir), { code: 'MODEL_INVALID', message: /text_model\.onnx/ });
});

test('a checkpoint’s identity changes with its weights and its configuration', async (t) => {
  const dir = await checkpointModel(t, 'clip');
  const read = async () => (await readModelFiles({ dir, dtype: 'fp32' })).identity;
  const first = await read();
  const weights = join(dir, 'model.safetensors');
  const bytes = await readFile(weights);
  bytes[bytes.length - 3]! ^= 1;
  await writeFile(weights, bytes);
  const second = await read();
  assert.notEqual(second, first);
  const config = await readJson(join(dir, 'config.json'));
  config.text_config.layer_norm_eps = 1e-4;
  await writeFile(join(dir, 'config.json'), JSON.stringify(config));
  assert.notEqual(await read(), second);
});

test('an image processor of another model is refused with both sizes', async (t) => {
  const dir = await checkpointModel(t, 'clip');
  const path = join(dir, 'preprocessor_config.json');
  await writeFile(path, JSON.stringify({ ...(await readJson(path)), crop_size: 24 }));
  await assert.rejects(readModelFiles({ dir, dtype: 'fp32' }), {
    code: 'MODEL_INVALID',
    message: /32 × 32.*preprocessor_config\.json, got 24 × 24/,
  });
});

test('an export that takes no images of the processor’s size is refused at the start, by its file', async (t) => {
  const dir = await exported(t);
  const path = join(dir, 'preprocessor_config.json');
  await writeFile(path, JSON.stringify({ ...(await readJson(path)), crop_size: 24 }));
  await assert.rejects(start(t, dir), {
    code: 'MODEL_INVALID',
    message: /images of 24 × 24.*vision_model\.onnx, got: .*of one model\?/s,
  });
});

test('a checkpoint has fp32, and an export of another dtype beside it is still chosen by --dtype', async (t) => {
  const dir = await checkpointModel(t, 'clip');
  await assert.rejects(readModelFiles({ dir, dtype: 'q8' }), {
    code: 'MODEL_NOT_FOUND',
    message: /nothing of dtype q8; it has fp32, fp16\./,
  });
  await mkdir(join(dir, 'onnx'));
  await cp(join(exportedModel, 'onnx/model.onnx'), join(dir, 'onnx/model_quantized.onnx'));
  assert.equal((await readModelFiles({ dir, dtype: 'q8' })).built, false);
  assert.equal((await readModelFiles({ dir, dtype: 'fp32' })).built, true);
  await cp(join(exportedModel, 'onnx/model.onnx'), join(dir, 'onnx/model.onnx'));
  assert.equal((await readModelFiles({ dir, dtype: 'fp32' })).built, false, 'an export goes first');
});
