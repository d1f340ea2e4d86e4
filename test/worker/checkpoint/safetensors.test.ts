import assert from 'node:assert/strict';
import { appendFile, copyFile, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { buildTowers } from '../../../src/worker/checkpoint/buildTowers.ts';
import { readCheckpoint, shardsOf } from '../../../src/worker/checkpoint/checkpointWeights.ts';
import { readCheckpointGolden } from '../../support/checkpointGoldens.ts';
import { temporaryFolder } from '../../support/support.ts';

/** A file in safetensors, of a header and so many bytes of data. */
async function fileOf(t: TestContext, header: unknown, dataBytes: number): Promise<string> {
  const path = join(await temporaryFolder(t), 'model.safetensors');
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  await writeFile(path, Buffer.concat([length, text, Buffer.alloc(dataBytes)]));
  return path;
}

const tensor = (dtype: string, shape: number[], from: number, to: number) => ({
  dtype,
  shape,
  data_offsets: [from, to],
});

test('tensors are found where the header says, whatever their dtype', async (t) => {
  const header = {
    __metadata__: { format: 'pt' },
    a: tensor('F32', [2, 3], 0, 24),
    b: tensor('BF16', [], 24, 26),
  };
  const file = await fileOf(t, header, 26);
  const start = 8 + JSON.stringify(header).length;
  const tensors = await readCheckpoint([file]);
  assert.deepEqual(
    [...tensors],
    [
      ['a', { file, dtype: 'F32', shape: [2, 3], offset: start, length: 24 }],
      ['b', { file, dtype: 'BF16', shape: [], offset: start + 24, length: 2 }],
    ],
  );
});

test('a file that is cut off, contradicts itself or is none is refused by its name', async (t) => {
  const whole = { a: tensor('F32', [2], 0, 8) };
  const cut = await fileOf(t, whole, 8);
  await truncate(cut, (await readFile(cut)).length - 1);
  const wrong = await fileOf(t, { a: tensor('F32', [3], 0, 8) }, 8);
  const odd = await fileOf(t, { a: 'tensor' }, 8);
  const pointer = await fileOf(t, whole, 8);
  await writeFile(pointer, 'version https://git-lfs.github.com/spec/v1\n');
  const empty = await fileOf(t, whole, 8);
  await truncate(empty, 3);
  const cases: [string, RegExp][] = [
    [cut, /end before its tensor 'a': the file is cut off/],
    [wrong, /8 bytes for the tensor 'a', F32 of 3/],
    [odd, /a tensor 'a' without dtype/],
    [pointer, /a header of \d+ bytes/],
    [empty, /a file of 3 bytes/],
  ];
  for (const [file, message] of cases) {
    await assert.rejects(readCheckpoint([file]), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'MODEL_INVALID');
      assert.match(error.message, message);
      assert.ok(error.message.includes(file), error.message);
      return true;
    });
  }
});

test('shards must not contradict one another, nor lead out of their folder', async (t) => {
  const [first, second] = [
    await fileOf(t, { a: tensor('F32', [1], 0, 4) }, 4),
    join(await temporaryFolder(t), 'b'),
  ];
  await copyFile(first, second);
  await assert.rejects(readCheckpoint([first, second]), { code: 'MODEL_INVALID', message: /'a' in .* and / });
  const index = (file: string) => JSON.stringify({ weight_map: { a: file } });
  assert.deepEqual(shardsOf(index('model-00001-of-00001.safetensors'), 'x'), [
    'model-00001-of-00001.safetensors',
  ]);
  for (const outside of ['../model.safetensors', '/model.safetensors', 'model.bin']) {
    assert.throws(() => shardsOf(index(outside), 'the index'), {
      code: 'MODEL_INVALID',
      message: /the index/,
    });
  }
  assert.throws(() => shardsOf('{', 'the index'), { code: 'MODEL_INVALID' });
});

/** Both towers from one checkpoint. */
function buildBoth(config: { model_type: string }, weights: string[]) {
  const files = { config, weights, where: 'config.json' };
  return buildTowers({ vision: files, text: files });
}

test('what is not built is refused with what is', async () => {
  const { config, weights } = await readCheckpointGolden('clip-end-by-id');
  const build = (changes: object, files = weights) =>
    buildBoth({ ...config, ...changes } as typeof config, files);
  await assert.rejects(build({ model_type: 'altclip' }), {
    code: 'MODEL_UNSUPPORTED',
    message: /clip, metaclip_2, chinese_clip, siglip, got model_type 'altclip'.*ONNX/,
  });
  const vision = { image_size: 16, patch_size: 4, num_hidden_layers: 2, num_attention_heads: 2 };
  const activation = { vision_config: { ...vision, hidden_act: 'swish' } };
  await assert.rejects(build(activation), {
    code: 'MODEL_UNSUPPORTED',
    message: /vision_config.*hidden_act/s,
  });
  const heads = { vision_config: { ...vision, num_attention_heads: 3 } };
  await assert.rejects(build(heads), { code: 'MODEL_UNSUPPORTED', message: /divide the width 16 .*got 3/ });
  const layers = { vision_config: { ...vision, num_hidden_layers: 3 } };
  await assert.rejects(build(layers), {
    code: 'MODEL_INVALID',
    message: /tensor vision_model\.encoder\.layers\.2\./,
  });
  const siglip = await readCheckpointGolden('siglip-f16');
  const headless = { ...siglip.config, vision_config: { ...vision, vision_use_head: false } };
  await assert.rejects(buildBoth(headless, siglip.weights), {
    code: 'MODEL_UNSUPPORTED',
    message: /vision_use_head/,
  });
});

test('weights that are no floats are refused by name', async (t) => {
  const { config, weights } = await readCheckpointGolden('clip-end-by-id');
  const bytes = await readFile(weights[0]!);
  const length = Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString());
  header['visual_projection.weight'].dtype = 'I32';
  const file = await fileOf(t, header, 0);
  await appendFile(file, bytes.subarray(8 + length));
  await assert.rejects(buildBoth(config, [file]), {
    code: 'MODEL_UNSUPPORTED',
    message: /visual_projection\.weight in I32/,
  });
});
