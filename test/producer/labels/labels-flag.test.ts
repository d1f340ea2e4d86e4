import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLabelsFlag } from '../../../src/producer/labels/labelFile.ts';

test('commas between, white space gone, quotes around a label with a comma', () => {
  assert.deepEqual(parseLabelsFlag('fox, bear,owl'), ['fox', 'bear', 'owl']);
  assert.deepEqual(parseLabelsFlag('"cats, dogs" , "say ""hi""", 5" disk'), [
    'cats, dogs',
    'say "hi"',
    '5" disk',
  ]);
  assert.deepEqual(parseLabelsFlag('ふくろう,🦉,$&,{},#1'), ['ふくろう', '🦉', '$&', '{}', '#1']);
  assert.deepEqual(parseLabelsFlag('fox,,owl, '), ['fox', 'owl']);
});

test('no label, or a quote that is not closed, is refused', () => {
  for (const text of ['', ' , ', '"fox, owl'])
    assert.throws(() => parseLabelsFlag(text), { code: 'USAGE' }, text);
});
