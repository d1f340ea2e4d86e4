// open_clip's own layout: a whole model from it, and what is not built. The vectors of its towers are compared in checkpoint-towers.test.ts.
import assert from 'node:assert/strict';
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openClipAsTransformers } from '../../../src/worker/checkpoint/openClipConfig.ts';
import { readModelFiles } from '../../../src/worker/model/model.ts';
import { readCheckpointGolden } from '../../support/checkpointGoldens.ts';
import { startOnCpu } from '../../support/cpuModel.ts';
import { largestDifference } from '../../support/goldens.ts';
import { exportedModel } from '../../support/graphs.ts';
import { temporaryFolder } from '../../support/support.ts';

const small = {
  embed_dim: 8,
  vision_cfg: { image_size: 16, layers: 2, width: 16, head_width: 8, patch_size: 4 },
  text_cfg: { width: 16, heads: 2, layers: 2 },
};

/** A folder as the Hub has such models: with the tokenizer of the CLIP whose vocabulary is as small. */
async function repository(t: TestContext): Promise<string> {
  const golden = await readCheckpointGolden('open-clip');
  const dir = await temporaryFolder(t);
  for (const file of ['open_clip_config.json', 'open_clip_model.safetensors']) {
    await copyFile(join(golden.dir, file), join(dir, file));
  }
  for (const file of ['tokenizer.json', 'tokenizer_config.json']) {
    await copyFile(join(exportedModel, file), join(dir, file));
  }
  return dir;
}

test('a folder in the layout of open_clip is a model: pixels, scale and towers from its own files', async (t) => {
  const dir = await repository(t);
  const files = await readModelFiles({ dir });
  assert.deepEqual([files.built, files.scoreFunction, files.towers.projection], [true, 'softmax', 8]);
  const { resize, crop, normalize, resample } = files.preprocessing;
  assert.deepEqual([resize, crop, resample], [{ shortestEdge: 16 }, { width: 16, height: 16 }, 'bicubic']);
  assert.deepEqual(normalize, { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
});

test('images of such a folder have the vectors that open_clip gives them, and its scale', async (t) => {
  const golden = await readCheckpointGolden('open-clip');
  const dir = await repository(t);
  // The tokenizer's ids are beyond this model's vocabulary: a text tower of more words, all alike, takes them.
  const config = JSON.parse(await readFile(join(dir, 'open_clip_config.json'), 'utf8'));
  config.preprocess_cfg.resize_mode = 'squash';
  await writeFile(join(dir, 'open_clip_config.json'), JSON.stringify(config));
  await moreWords(join(dir, 'open_clip_model.safetensors'), 1000);
  const files = await readModelFiles({ dir });
  assert.deepEqual(files.preprocessing.crop, undefined);
  const model = await startOnCpu(files, { batchSize: 3 });
  t.after(() => model.session.close());
  assert.ok(Math.abs(model.scoring.logitScale - Math.exp(4.5)) < 1e-4);
  const off = largestDifference(
    await model.session.embedImages(Uint8Array.from(golden.pixels), 3),
    golden.images,
  );
  assert.ok(off < 1e-5, `off by ${off}`);
});

test('what is not built of open_clip is refused by its name', () => {
  const cases: [object, RegExp][] = [
    [
      { vision_cfg: { timm_model_name: 'vit_base_patch16_siglip_224' } },
      /timm_model_name.*open_clip_config/s,
    ],
    [{ vision_cfg: { ...small.vision_cfg, layers: [3, 4, 6, 3] } }, /vision_cfg\.layers/],
    [{ vision_cfg: { ...small.vision_cfg, attentional_pool: true } }, /attentional_pool/],
    [{ vision_cfg: { ...small.vision_cfg, pool_type: 'avg' } }, /vision_cfg\.pool_type/],
    [{ text_cfg: { hf_model_name: 'roberta-base' } }, /hf_model_name/],
    [{ text_cfg: { ...small.text_cfg, no_causal_mask: true } }, /no_causal_mask/],
    [{ text_cfg: { ...small.text_cfg, tokenizer_kwargs: { clean: 'canonicalize' } } }, /tokenizer_kwargs/],
    [{ init_logit_bias: -10 }, /init_logit_bias/],
    [{ multimodal_cfg: {} }, /multimodal_cfg/],
  ];
  for (const [changes, message] of cases) {
    const config = { model_cfg: { ...small, ...changes } };
    assert.throws(
      () => openClipAsTransformers(config, 'open_clip_config.json'),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'MODEL_UNSUPPORTED');
        assert.match(`${error.message} open_clip_config`, message);
        return true;
      },
    );
  }
});

test('weights in the layout of transformers go before those of open_clip beside them', async (t) => {
  const dir = await repository(t);
  await copyFile(join(exportedModel, 'config.json'), join(dir, 'config.json'));
  await copyFile(join(exportedModel, 'preprocessor_config.json'), join(dir, 'preprocessor_config.json'));
  const { checkpoint } = await readModelFiles({ dir });
  assert.equal(checkpoint?.vision.config, 'open_clip_config.json');
  await copyFile(
    join((await readCheckpointGolden('open-clip')).dir, '../clip/model.safetensors'),
    join(dir, 'model.safetensors'),
  );
  assert.equal((await readModelFiles({ dir })).checkpoint?.vision.config, 'config.json');
  await rm(join(dir, 'tokenizer.json'));
  await assert.rejects(readModelFiles({ dir }), {
    code: 'MODEL_UNSUPPORTED',
    message: /lacks tokenizer\.json/,
  });
});

/** Gives the table of words more rows, of the first one, at the end of the file. */
async function moreWords(path: string, rows: number): Promise<void> {
  const bytes = await readFile(path);
  const start = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.subarray(8, start).toString());
  const table = header['token_embedding.weight'] as { shape: number[]; data_offsets: number[] };
  const [from, to] = table.data_offsets as [number, number];
  const width = table.shape[1]!;
  const row = bytes.subarray(start + from, start + from + width * 4);
  const old = bytes.subarray(start + from, start + to);
  const added = Buffer.concat(Array.from({ length: rows - table.shape[0]! }, () => row));
  const end = bytes.length - start;
  header['token_embedding.weight'] = {
    ...table,
    shape: [rows, width],
    data_offsets: [end, end + old.length + added.length],
  };
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  await writeFile(path, Buffer.concat([length, text, bytes.subarray(start), old, added]));
}
