import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseFiles } from '../../../src/worker/hub/hubFiles.ts';

const configurations = ['config.json', 'preprocessor_config.json', 'tokenizer.json'];
const listed = [
  'README.md',
  'vocab.json',
  ...configurations,
  'special_tokens_map.json',
  'onnx/vision_model.onnx',
  'onnx/text_model.onnx',
  'onnx/text_model.onnx_data',
  'onnx/text_model.onnx_data_1',
  'onnx/text_model.onnx_data_old',
  'onnx/model.onnx',
  'onnx/model_q4f16.onnx',
  'onnx/model_q4f16.onnx.data',
  'onnx/vision_model_quantized.onnx',
];

test('the split pair goes before the joint graph, graphs come last, their data before them', () => {
  assert.deepEqual(chooseFiles(listed, 'fp32', 'It'), {
    layout: 'split',
    paths: [
      ...configurations,
      'special_tokens_map.json',
      'onnx/text_model.onnx_data',
      'onnx/text_model.onnx_data_1',
      'onnx/vision_model.onnx',
      'onnx/text_model.onnx',
    ],
  });
});

test('without the pair the joint graph is taken', () => {
  const { layout, paths } = chooseFiles(listed, 'q4f16', 'It');
  assert.equal(layout, 'joint');
  assert.deepEqual(paths.slice(-2), ['onnx/model_q4f16.onnx.data', 'onnx/model_q4f16.onnx']);
});

test('a missing dtype names those that are there; half a pair is none', () => {
  assert.throws(() => chooseFiles(listed, 'q8', 'It'), {
    code: 'MODEL_NOT_FOUND',
    message: /no graphs of dtype q8; it has fp32, q4f16\./,
  });
});

test('a repository without ONNX graphs is unsupported, and so is one without its tokenizer', () => {
  assert.throws(() => chooseFiles([...configurations, 'model.safetensors'], 'fp32', 'It'), {
    code: 'MODEL_UNSUPPORTED',
    message: /Xenova\/.*optimum-cli export onnx/,
  });
  const bare = listed.filter((path) => path !== 'tokenizer.json');
  assert.throws(() => chooseFiles(bare, 'fp32', 'It'), {
    code: 'MODEL_UNSUPPORTED',
    message: /lacks tokenizer\.json/,
  });
});
