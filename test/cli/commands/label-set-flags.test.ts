import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differences } from '../../../src/cli/setup/continuedRun.ts';
import { labelOptions, labelSetOf, likeLabels } from '../../../src/cli/setup/labels.ts';
import { parseLabelsFlag } from '../../../src/producer/labels/labelFile.ts';
import { defineLabelSet } from '../../../src/shared/labels/labelSet.ts';
import { readConfig } from '../../../src/shared/options/config.ts';

const config = (flags: Record<string, unknown>) => readConfig(labelOptions, flags, {});
const twelve = Array.from({ length: 12 }, (_, i) => `label ${i}`).join(',');

test('a row keeps ten predictions unless a flag, the file or the run says otherwise', async () => {
  assert.equal((await labelSetOf(config({ labels: twelve }))).topK, 10);
  assert.equal((await labelSetOf(config({ labels: twelve, topK: 'all' }))).topK, undefined);
  assert.equal((await labelSetOf(config({ labels: twelve, topK: '3' }))).topK, 3);
  assert.equal((await labelSetOf(config({ labels: twelve }), 5)).topK, 5);
  assert.equal((await labelSetOf(config({ labels: twelve }), 'all')).topK, undefined);
  assert.equal((await labelSetOf(config({ labels: twelve, topK: '3' }), 5)).topK, 3);
  // What keeps every label says nothing of it: the id is that of a set without the setting.
  const few = await labelSetOf(config({ labels: 'fox,owl' }));
  assert.deepEqual(few, defineLabelSet({ labels: ['fox', 'owl'] }));
  assert.throws(() => config({ labels: 'a,b', topK: 'none' }), { code: 'USAGE', message: /--top-k/ });
});

test('one label is refused where softmax would score it, unless that is asked for', async () => {
  const refused = { code: 'USAGE', message: /two labels or more, got one: "fox".*--score-function/ };
  await assert.rejects(labelSetOf(config({ labels: 'fox' })), refused);
  for (const scoreFunction of ['sigmoid', 'cosine', 'softmax'])
    assert.equal((await labelSetOf(config({ labels: 'fox', scoreFunction }))).labels.length, 1);
});

test('a separator that was not meant is named', () => {
  for (const [text, separator] of [
    ['fox;bear;owl', ';'],
    ['fox|owl', '|'],
    ['fox\towl', '\\t'],
  ] as const)
    assert.throws(
      () => parseLabelsFlag(text),
      (error: Error) => error.message.includes(`one label with "${separator}"`),
    );
  assert.deepEqual(parseLabelsFlag('a;b, c'), ['a;b', 'c']);
});

test('labels that a tokenizer does not tell apart are pointed out', () => {
  const like = likeLabels(defineLabelSet({ labels: ['Fox', 'owl', 'fox', 'red  car', 'red car'] }));
  assert.match(like!, /"Fox" and "fox", "red {2}car" and "red car"\.$/);
  const own = { label: 'FOX', prompts: ['a vixen'] };
  assert.equal(likeLabels(defineLabelSet({ labels: ['fox', own] })), undefined);
});

test('a mismatch says which labels or settings differ', () => {
  const set = (labels: string[], more = {}) => defineLabelSet({ labels, ...more });
  assert.equal(
    differences(set(['fox', 'owl']), set(['fox', 'bear'])),
    'it also has "owl", and it lacks "bear"',
  );
  assert.equal(
    differences(set(['fox', 'owl'], { threshold: 0.5 }), set(['fox', 'owl'])),
    'its threshold is 0.5, here not set',
  );
  assert.match(differences(set(['fox', 'owl']), set(['owl', 'fox'])), /another order of "fox", "owl"/);
});
