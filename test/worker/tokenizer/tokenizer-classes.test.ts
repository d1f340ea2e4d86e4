// Tokens of texts that are easily read otherwise, against Python's tokenizers with their classes in transformers.
import assert from 'node:assert/strict';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadTokenizer } from '../../../src/worker/tokenizer/tokenizer.ts';
import { repository } from '../../support/fleet.ts';
import { temporaryFolder } from '../../support/support.ts';

interface Golden {
  texts: string[];
  tokenizers: Record<string, { dir: string; ids: number[][]; padded: number[][] }>;
}

const limits = { maxTokens: 10_000, padTo: 'longest' } as const;
const { texts, tokenizers } = JSON.parse(
  await readFile(join(repository, 'test/golden/goldens/tokens.json'), 'utf8'),
) as Golden;

const models: Record<string, string> = { clip: 'clip', 'chinese-clip': 'chinese_clip', siglip2: 'siglip2' };

async function assertTokens(name: string, dir: string): Promise<void> {
  const { ids, padded } = tokenizers[name]!;
  const { encode, tokenize } = await loadTokenizer({ dir, modelType: models[name]! }, limits);
  texts.forEach((text, i) => {
    assert.deepEqual(encode(text), ids[i], `'${text}'`);
  });
  assert.deepEqual([...tokenize(texts.slice(0, 2)).ids].map(Number), padded.flat(), 'padded');
}

for (const name of Object.keys(models)) {
  test(`${name}: tokens are those of Python`, () =>
    assertTokens(name, join(repository, tokenizers[name]!.dir)));

  test(`${name}: the class follows from the model where tokenizer_config.json is absent`, async (t) => {
    const dir = await temporaryFolder(t);
    await copyFile(join(repository, tokenizers[name]!.dir, 'tokenizer.json'), join(dir, 'tokenizer.json'));
    await assertTokens(name, dir);
  });
}

/** A tokenizer.json's vocabulary, and the tokens that stand beside it. */
async function readJson(name: string) {
  const path = join(repository, tokenizers[name]!.dir, 'tokenizer.json');
  return JSON.parse(await readFile(path, 'utf8')) as {
    model: { vocab: Record<string, number>; merges: (string | [string, string])[] };
    added_tokens: { id: number; content: string }[];
  };
}

async function folder(t: TestContext, files: Record<string, string>): Promise<string> {
  const dir = join(await temporaryFolder(t), 'tokenizer');
  await mkdir(dir);
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
  return dir;
}

test('vocab.json with merges.txt is a CLIP’s tokenizer', async (t) => {
  const { model, added_tokens } = await readJson('clip');
  const { vocab, merges } = model;
  // In tokenizer.json the marks stand among the added tokens alone.
  const marks = Object.fromEntries(added_tokens.map(({ id, content }) => [content, id]));
  const lines = merges.map((pair) => (typeof pair === 'string' ? pair : pair.join(' ')));
  const dir = await folder(t, {
    'vocab.json': JSON.stringify({ ...vocab, ...marks }),
    'merges.txt': ['#version: 0.2', ...lines, ''].join('\n'),
  });
  await assertTokens('clip', dir);
});

test('vocab.txt is a BERT’s tokenizer', async (t) => {
  const { vocab } = (await readJson('chinese-clip')).model;
  const words = Object.keys(vocab).sort((a, b) => vocab[a]! - vocab[b]!);
  await assertTokens('chinese-clip', await folder(t, { 'vocab.txt': `${words.join('\n')}\n` }));
});

test('a class that may do more than its files say is refused by name', async (t) => {
  const dir = await folder(t, {
    'tokenizer.json': await readFile(join(repository, tokenizers.clip!.dir, 'tokenizer.json'), 'utf8'),
    'tokenizer_config.json': '{"tokenizer_class":"SomeTokenizer"}',
  });
  await assert.rejects(loadTokenizer({ dir, modelType: 'clip' }, limits), {
    code: 'MODEL_UNSUPPORTED',
    message: /CLIPTokenizer.*'SomeTokenizer'/,
  });
});

test('files that are missing or broken are named', async (t) => {
  const load = async (files: Record<string, string>) =>
    loadTokenizer({ dir: await folder(t, files), modelType: 'clip' }, limits);
  await assert.rejects(load({}), { code: 'MODEL_INVALID', message: /tokenizer\.json, or vocab\.json/ });
  await assert.rejects(load({ 'vocab.json': '{}' }), { code: 'MODEL_INVALID', message: /merges\.txt/ });
  await assert.rejects(load({ 'tokenizer.json': '{' }), {
    code: 'MODEL_INVALID',
    message: /tokenizer\.json/,
  });
  const bare = load({ 'vocab.json': '{}', 'merges.txt': '' });
  await assert.rejects(bare, { code: 'MODEL_INVALID', message: /<\|startoftext\|>/ });
});
