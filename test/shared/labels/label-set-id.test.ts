import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  canonicalLabelSet,
  defineLabelSet,
  type LabelSetInput,
  labelSetId,
  promptsKey,
} from '../../../src/shared/labels/labelSet.ts';

/**
 * Any language can name a label set. In Python:
 *
 *     json.dumps(label_set, sort_keys=True, separators=(',', ':'), ensure_ascii=False)
 *     hashlib.sha256(that.encode()).hexdigest()
 *
 * This is RFC 8785 as long as numbers are written as JavaScript writes them (5 and not 5.0, 1e-7 and not 1e-07) and keys
 * sort alike in code points and UTF-16 units, which the keys of a label set, all ASCII, do.
 */
const input = {
  topK: 5,
  labels: [
    { threshold: 0.25, label: 'fox', prompts: ['a photo of a fox.', 'vulpes "vulpes"'] },
    'ふくろう 🦉 e\u0301 $& {}',
    { label: 'none of these', negative: true },
  ],
  outputs: ['logit', 'cosine'],
  templates: ['This is a photo of {}.', '写真 {c}'],
  scoreFunction: 'softmax',
  temperature: 1.5,
} satisfies LabelSetInput;

const canonical =
  '{"labels":[{"label":"fox","prompts":["a photo of a fox.","vulpes \\"vulpes\\""],"threshold":0.25},' +
  '{"label":"ふくろう 🦉 e\u0301 $& {}"},{"label":"none of these","negative":true}],' +
  '"outputs":["cosine","logit"],"scoreFunction":"softmax","temperature":1.5,' +
  '"templates":["This is a photo of {}.","写真 {c}"],"topK":5,"v":1}';

test('the id is the SHA-256 of the canonical JSON, as another language makes it', () => {
  const set = defineLabelSet(input);
  assert.equal(canonicalLabelSet(set), canonical);
  assert.equal(labelSetId(set), 'aca70ca9e5d09fa48faf490d31d36fd96caed432f362333f916d2ef3035b6240');
});

test('equal meaning has an equal id', () => {
  const id = '15158d2f543bf03cbf118fe7a287bc55da0bec445d64809db1cda65ee4edbe74';
  const spellings: LabelSetInput[] = [
    { labels: ['fox', 'owl'] },
    { labels: [{ label: 'fox' }, { label: 'owl', negative: false, threshold: undefined }] },
    { labels: ['fox', 'owl'], template: 'This is a photo of {}.', temperature: 1, outputs: [], v: 1 },
    { topK: undefined, templates: ['This is a photo of {}.'], labels: ['fox', 'owl'] },
  ];
  for (const spelling of spellings) assert.equal(labelSetId(defineLabelSet(spelling)), id);
});

test('everything that changes an answer changes the id', () => {
  const base = { labels: ['fox', 'owl'] } satisfies LabelSetInput;
  const changes: LabelSetInput[] = [
    base,
    { labels: ['owl', 'fox'] },
    { labels: ['fox ', 'owl'] },
    { labels: ['fox', { label: 'owl', negative: true }] },
    { labels: ['fox', { label: 'owl', threshold: 0.5 }] },
    { labels: ['fox', { label: 'owl', prompts: ['owl'] }] },
    { ...base, template: 'This is a photo of {}' },
    { ...base, scoreFunction: 'sigmoid' },
    { ...base, temperature: 2 },
    { ...base, threshold: 0.5 },
    { ...base, topK: 1 },
    { ...base, outputs: ['logit'] },
  ];
  assert.equal(new Set(changes.map((change) => labelSetId(defineLabelSet(change)))).size, changes.length);
});

test('the prompts key is the SHA-256 of the prompts as JSON', () => {
  // sha256('[["This is a photo of fox."],["This is a photo of owl."]]')
  const key = '0d602ffcd7b91d162075233aac3a7f8b91989ab259e693fe8bc658174dd9f4d6';
  assert.equal(promptsKey(defineLabelSet({ labels: ['fox', 'owl'] })), key);
});

test('the prompts key stays when only scores and names change, and moves with the prompts', () => {
  const key = (change: Partial<LabelSetInput>) =>
    promptsKey(defineLabelSet({ labels: ['fox', 'owl'], ...change }));
  const same: Partial<LabelSetInput>[] = [
    { threshold: 0.5, topK: 1, temperature: 2, scoreFunction: 'sigmoid', outputs: ['logit'] },
    { labels: ['fox', { label: 'owl', negative: true, threshold: 0.1 }] },
    { labels: ['fox', { label: 'Strix', prompts: ['This is a photo of owl.'] }] },
  ];
  for (const change of same) assert.equal(key(change), key({}));
  const others: Partial<LabelSetInput>[] = [
    {},
    { labels: ['owl', 'fox'] },
    { template: 'a photo of a {}' },
    { templates: ['This is a photo of {}.', 'This is a photo of {}.'] },
    // The same prompts in other groups make another matrix.
    { labels: [{ label: 'fox', prompts: ['This is a photo of fox.', 'This is a photo of owl.'] }] },
  ];
  assert.equal(new Set(others.map(key)).size, others.length);
});
