import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  canonicalLabelSet,
  defineLabelSet,
  labelSetId,
  parseLabelSet,
} from '../../../src/shared/labels/labelSet.ts';

const set = defineLabelSet({ labels: ['fox', 'owl'], topK: 1 });

test('any spelling of the JSON is the same set under the same id', () => {
  const spelled = JSON.stringify({ topK: 1, templates: set.templates, labels: set.labels, v: 1 }, null, 2);
  assert.deepEqual(parseLabelSet(spelled, labelSetId(set)), set);
  assert.deepEqual(parseLabelSet(spelled), set);
});

test('another content under the id is refused, and both ids named', () => {
  const other = defineLabelSet({ labels: ['fox', 'owl'], topK: 2 });
  assert.throws(() => parseLabelSet(canonicalLabelSet(other), labelSetId(set)), {
    code: 'LABEL_SET_INVALID',
    message: new RegExp(`${labelSetId(set)}.*${labelSetId(other)}`),
  });
});

test('what is no label set is refused', () => {
  for (const json of [
    '',
    '{',
    'null',
    '5',
    '[]',
    '{"v":0}',
    canonicalLabelSet(set).replace('"v":1', '"v":"1"'),
  ]) {
    assert.throws(() => parseLabelSet(json), { code: 'LABEL_SET_INVALID' }, json);
  }
  const input = JSON.stringify({ v: 1, labels: ['fox'], templates: ['{}'] });
  assert.throws(() => parseLabelSet(input), { code: 'LABEL_SET_INVALID' });
});

test('a set of a later wire version waits for a worker that reads it', () => {
  assert.throws(() => parseLabelSet('{"v":2,"anything":true}'), { code: 'JOB_NEWER', message: /upgrade/ });
});
