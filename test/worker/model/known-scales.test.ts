import assert from 'node:assert/strict';
import { test } from 'node:test';
import { knownScale } from '../../../src/worker/model/knownScales.ts';

const clip = { logitScale: 100, logitBias: 0 };

test('a checkpoint is known by its name, and an export by the name of its checkpoint', () => {
  const names = [
    'openai/clip-vit-base-patch32',
    'Xenova/clip-vit-base-patch32',
    'onnx-community/clip-vit-large-patch14-336',
    'onnx-community/clip-vit-base-patch16-ONNX',
  ];
  for (const name of names) assert.deepEqual(knownScale(name), clip, name);
  const siglip = knownScale('Xenova/siglip-base-patch16-224')!;
  assert.ok(siglip.logitScale > 117 && siglip.logitScale < 118, `${siglip.logitScale}`);
  assert.ok(siglip.logitBias < -12.9 && siglip.logitBias > -13, `${siglip.logitBias}`);
});

test('a name that only looks alike is not known', () => {
  const names = [
    'somebody/clip-vit-base-patch32',
    'Xenova/clip-vit-base-patch32-finetuned',
    'Xenova/siglip-base-patch16-256',
    'clip-vit-base-patch32',
    'constructor',
  ];
  for (const name of names) assert.equal(knownScale(name), undefined, name);
});
