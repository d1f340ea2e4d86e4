import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadTokenizer } from '../../../src/worker/tokenizer/tokenizer.ts';
import { demoModel } from '../../support/fleet.ts';

const demo = { dir: demoModel, modelType: 'clip' };
const begin = 4012n;
const end = 4013n;

test('a prompt stands between the begin and the end mark', async () => {
  const { tokenize } = await loadTokenizer(demo, { maxTokens: 32, padTo: 'longest' });
  const { ids, mask, count, length, truncated } = tokenize(['a cat']);
  assert.deepEqual([count, length, truncated], [1, 4, []]);
  assert.deepEqual([ids[0], ids[3]], [begin, end]);
  assert.deepEqual([...mask], [1n, 1n, 1n, 1n]);
  assert.deepEqual(tokenize(['A  CAT']).ids, ids, 'case and white space mean nothing to this model');
  assert.notDeepEqual(tokenize(['a dog']).ids, ids);
  assert.deepEqual([...tokenize(['']).ids], [begin, end]);
});

test('prompts are padded to the longest, and the mask leaves the padding out', async () => {
  const { tokenize } = await loadTokenizer(demo, { maxTokens: 32, padTo: 'longest' });
  const { ids, mask, count, length } = tokenize(['a cat', 'a photo of a cat']);
  assert.deepEqual([count, length], [2, 7]);
  assert.deepEqual([...mask.subarray(0, 7)], [1n, 1n, 1n, 1n, 0n, 0n, 0n]);
  assert.deepEqual([...mask.subarray(7)], Array(7).fill(1n));
  assert.deepEqual([...ids.subarray(0, 4)], [...tokenize(['a cat']).ids]);
  assert.deepEqual([...ids.subarray(4, 7)], [end, end, end], 'the padding of this model is its end mark');
});

test('or to the full length, for models that know no other', async () => {
  const { tokenize } = await loadTokenizer(demo, { maxTokens: 16, padTo: 'max' });
  const { ids, mask, length } = tokenize(['a cat']);
  assert.deepEqual([length, ids.length, mask.length], [16, 16, 16]);
  assert.equal([...mask].filter((bit) => bit === 1n).length, 4);
});

test('too long a prompt is cut before its end mark, and named by its place', async () => {
  const { tokenize } = await loadTokenizer(demo, { maxTokens: 8, padTo: 'longest' });
  const words = 'a photo of a cat in';
  const { ids, mask, length, truncated } = tokenize(['a cat', `${words} the red house`, words]);
  assert.equal(length, 8);
  assert.deepEqual(truncated, [1], 'what fits exactly is not cut');
  const row = (place: number) => [...ids.subarray(place * 8, (place + 1) * 8)];
  assert.deepEqual(row(1), row(2), 'the first six tokens and the marks stay');
  assert.deepEqual([row(1)[0], row(1)[7]], [begin, end]);
  assert.deepEqual([...mask.subarray(8)], Array(16).fill(1n));
});

test('token ids can be read as text again, without the marks', async () => {
  const { encode, decode } = await loadTokenizer(demo, { maxTokens: 4, padTo: 'longest' });
  const ids = encode('a photo of a red cat');
  assert.deepEqual([ids.length, ids[0], ids.at(-1)], [8, Number(begin), Number(end)], 'uncut');
  assert.equal(decode(ids).trim(), 'a photo of a red cat');
});
