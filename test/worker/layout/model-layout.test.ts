import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findLayout, largeFilesOf, smallFilesOf } from '../../../src/worker/layout/modelLayout.ts';

const configurations = ['config.json', 'preprocessor_config.json', 'tokenizer.json'];
const exported = [
  'README.md',
  'vocab.json',
  ...configurations,
  'special_tokens_map.json',
  'onnx/vision_model.onnx',
  'onnx/text_model.onnx',
  'onnx/model.onnx',
  'onnx/model_q4f16.onnx',
  'onnx/vision_model_quantized.onnx',
];
const checkpoint = ['model.safetensors', ...configurations];

test('exported towers go before the joint graph, and that before a checkpoint', () => {
  const all = [...exported, 'model.safetensors'];
  const layout = findLayout(all, 'fp32', 'It');
  assert.deepEqual(largeFilesOf(layout), ['onnx/vision_model.onnx', 'onnx/text_model.onnx']);
  assert.equal(layout.joint, 'onnx/model.onnx');
  assert.deepEqual(largeFilesOf(findLayout(exported, 'q4f16', 'It')), ['onnx/model_q4f16.onnx']);
  const built = findLayout([...checkpoint, 'onnx/model_q4f16.onnx'], 'fp32', 'It');
  assert.deepEqual([built.graphs, largeFilesOf(built)], [undefined, ['model.safetensors']]);
});

test('only what is needed is named: no README, no second tokenizer, no other weights', () => {
  const files = smallFilesOf(findLayout(exported, 'fp32', 'It'));
  assert.deepEqual(files.sort(), [...configurations, 'special_tokens_map.json'].sort());
});

test('shards count as a checkpoint when all are there', () => {
  const index = 'model.safetensors.index.json';
  const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
  const layout = findLayout([...configurations, index, ...shards], 'fp32', 'It');
  assert.deepEqual(largeFilesOf(layout), shards);
  assert.ok(smallFilesOf(layout).includes(index));
  for (const some of [[index, shards[0]!], shards]) {
    assert.throws(() => findLayout([...configurations, ...some], 'fp32', 'It'), {
      code: 'MODEL_UNSUPPORTED',
    });
  }
});

test('a missing dtype names those that are there; half a pair is none', () => {
  assert.throws(() => findLayout(exported, 'q8', 'It'), {
    code: 'MODEL_NOT_FOUND',
    message: /nothing of dtype q8; it has fp32, q4f16\./,
  });
  assert.throws(() => findLayout(checkpoint, 'q8', 'It'), {
    code: 'MODEL_NOT_FOUND',
    message: /it has fp32, fp16\./,
  });
});

test('weights that PyTorch saved are taken where there are no others, also in shards and of open_clip', () => {
  const weightsOf = (...files: string[]) =>
    largeFilesOf(findLayout([...configurations, ...files], 'fp32', 'It'));
  assert.deepEqual(weightsOf('pytorch_model.bin'), ['pytorch_model.bin']);
  assert.deepEqual(weightsOf('pytorch_model.bin', 'model.safetensors'), ['model.safetensors']);
  const shards = ['pytorch_model-00001-of-00002.bin', 'pytorch_model-00002-of-00002.bin'];
  assert.deepEqual(weightsOf('pytorch_model.bin.index.json', ...shards), shards);
  const openClip = ['open_clip_config.json', 'open_clip_pytorch_model.bin'];
  assert.deepEqual(weightsOf(...openClip), ['open_clip_pytorch_model.bin']);
  assert.deepEqual(weightsOf(...openClip, 'open_clip_model.safetensors'), ['open_clip_model.safetensors']);
});

test('what is missing is named, and so is what to do', () => {
  const bare = checkpoint.filter((path) => path !== 'tokenizer.json');
  assert.throws(() => findLayout(bare, 'fp32', 'It'), {
    code: 'MODEL_UNSUPPORTED',
    message: /lacks tokenizer\.json/,
  });
  const remedies: [string, RegExp][] = [
    ['pytorch_model-00001-of-00002.bin', /neither a checkpoint/],
    ['open_clip_model.safetensors', /neither a checkpoint/],
    ['README.md', /Take a repository/],
  ];
  for (const [file, message] of remedies) {
    assert.throws(() => findLayout([...configurations, file], 'fp32', 'It'), {
      code: 'MODEL_UNSUPPORTED',
      message,
    });
  }
});

test('a tokenizer is tokenizer.json, or the vocabularies that came before it', () => {
  const rest = checkpoint.filter((path) => path !== 'tokenizer.json');
  for (const files of [['vocab.json', 'merges.txt'], ['vocab.txt']]) {
    const { tokenizer } = findLayout([...rest, ...files, 'tokenizer_config.json'], 'fp32', 'It');
    assert.deepEqual(tokenizer, { dir: '', files: [...files, 'tokenizer_config.json'] });
  }
});
