import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  canonicalLabelSet,
  defineLabelSet,
  type LabelSetInput,
  labelSetId,
  labelSetLimits,
  parseLabelSet,
  promptsOf,
} from '../../../src/shared/labels/labelSet.ts';
import { namedTemplates } from '../../../src/shared/labels/templates.ts';

const hostile = [
  '$&',
  '$1',
  '$$',
  "$'",
  '{}',
  '{c}',
  '{{}}',
  '\\n',
  '"quoted", with comma',
  ' spaces ',
  'é',
  'e\u0301',
  'ふくろう',
  '猫头鹰',
  '👩‍👩‍👧‍👦 🦉',
  '__proto__',
];

/** What plain JavaScript or a file might bring, past the types. */
function refused(input: unknown, message: RegExp): void {
  assert.throws(() => defineLabelSet(input as LabelSetInput), { code: 'LABEL_SET_INVALID', message });
}

describe('defining', () => {
  test("labels alone get the reference's template", () => {
    const set = defineLabelSet({ labels: ['fox', { label: 'owl', prompts: ['an owl'], threshold: 0.5 }] });
    assert.deepEqual(set, {
      v: 1,
      labels: [{ label: 'fox' }, { label: 'owl', prompts: ['an owl'], threshold: 0.5 }],
      templates: ['This is a photo of {}.'],
    });
  });

  test('what is undefined is absent', () => {
    const set = defineLabelSet({ labels: [{ label: 'fox', prompts: undefined }], topK: undefined });
    assert.deepEqual(set, defineLabelSet({ labels: ['fox'] }));
  });

  test('named templates are written out', () => {
    const { templates } = defineLabelSet({ labels: ['fox'], templates: ['my {}', 'imagenet-80'] });
    assert.deepEqual(templates, ['my {}', ...namedTemplates['imagenet-80']]);
    assert.equal(defineLabelSet({ labels: ['fox'], template: 'imagenet-7' }).templates.length, 7);
  });

  test('what is defined cannot be changed', () => {
    const set = defineLabelSet({ labels: [{ label: 'fox', prompts: ['a fox'] }], outputs: ['logit'] });
    const parts = [set, set.labels, set.labels[0], set.labels[0]!.prompts, set.templates, set.outputs];
    assert.ok(parts.every(Object.isFrozen));
  });

  test('what is defined is read back the same', () => {
    const set = defineLabelSet({
      labels: [...hostile, { label: 'none', negative: true, prompts: hostile }],
      template: 'a {c}',
      scoreFunction: 'cosine',
      temperature: 0.5,
      topK: 3,
      threshold: -0.5,
      outputs: ['logit', 'cosine', 'logit'],
    });
    assert.deepEqual(parseLabelSet(canonicalLabelSet(set), labelSetId(set)), set);
  });
});

describe('prompts', () => {
  test('labels of any script and with any sign come through unharmed', () => {
    const set = defineLabelSet({ labels: hostile, templates: ['<{}>', '{c} and {}'] });
    assert.deepEqual(
      promptsOf(set),
      hostile.map((label) => [`<${label}>`, `${label} and ${label}`]),
    );
  });

  test("a label's own prompts are used as they are, instead of the templates", () => {
    const prompts = ['a {} fox', ' $& ', 'vulpes'];
    const set = defineLabelSet({ labels: [{ label: 'fox', prompts }, 'owl'] });
    assert.deepEqual(promptsOf(set), [prompts, ['This is a photo of owl.']]);
  });
});

describe('refused', () => {
  test('a template without a place for the label, with the names that would be known', () => {
    refused(
      { labels: ['fox'], template: 'a photo' },
      /templates\[0\].*\{\} or \{c\}.*imagenet-80.*"a photo"/,
    );
    refused({ labels: ['fox'], templates: ['a {}', 'imagenet-8'] }, /templates\[1\]/);
    refused({ labels: ['fox'], template: '{}', templates: ['{}'] }, /both/);
  });

  test('the same label twice, with its first place', () => {
    refused({ labels: ['fox', 'owl', 'fox'] }, /labels\[2\]\.label.*labels\[0\].*"fox"/);
    // Two spellings of one letter are two labels: nothing is normalised.
    assert.equal(defineLabelSet({ labels: ['é', 'e\u0301'] }).labels.length, 2);
  });

  test('a set that could never answer', () => {
    refused({ labels: [] }, /labels/);
    refused({ labels: [{ label: 'none', negative: true }] }, /at least one label that is not negative/);
  });

  test('a threshold outside the range of its score', () => {
    refused({ labels: ['fox'], threshold: 50 }, /threshold: .* 0 to 1.*got 50/);
    refused({ labels: ['owl', { label: 'fox', threshold: -0.1 }] }, /labels\[1\]\.threshold \("fox"\)/);
    refused({ labels: ['fox'], scoreFunction: 'sigmoid', threshold: 1.1 }, /range of sigmoid/);
    refused({ labels: ['fox'], scoreFunction: 'cosine', threshold: -1.1 }, /-1 to 1/);
    for (const threshold of [-20, 20]) defineLabelSet({ labels: ['fox'], scoreFunction: 'logit', threshold });
    defineLabelSet({ labels: ['fox'], scoreFunction: 'cosine', threshold: -1 });
  });

  test('fields that are not of the format, each named with what was there', () => {
    refused({ labels: 'fox' }, /labels: .*array.*got "fox"/);
    refused({ labels: ['fox', 5] }, /labels\[1\]: .*got 5/);
    refused({ labels: ['fox', null] }, /labels\[1\]: .*got null/);
    refused({ labels: ['fox', ['owl']] }, /labels\[1\]: /);
    refused({ labels: [{ label: 'fox', prompt: 'a fox' }] }, /labels\[0\].*"prompt"/);
    refused({ labels: [{ label: 'fox', prompts: [] }] }, /labels\[0\]\.prompts \("fox"\)/);
    refused({ labels: ['fox', ''] }, /labels\[1\]\.label/);
    refused({ labels: ['fox'], topk: 5 }, /"topk"/);
    refused({ labels: ['fox'], topK: 0 }, /topK: .*got 0/);
    refused({ labels: ['fox'], topK: 1.5 }, /topK/);
    refused({ labels: ['fox'], temperature: 0 }, /temperature: .*got 0/);
    refused({ labels: ['fox'], threshold: Number.NaN }, /threshold/);
    refused({ labels: ['fox'], outputs: ['scores'] }, /outputs\[0\]/);
    refused({ labels: ['fox'], scoreFunction: 'argmax' }, /scoreFunction: .*"argmax"/);
    refused({ labels: ['fox'], templates: 5 }, /templates: .*got 5/);
    refused({ labels: ['fox'], templates: [5] }, /templates\[0\]: .*got 5/);
  });

  test('half a surrogate pair, which no UTF-8 can carry', () => {
    refused({ labels: ['\ud83e'] }, /labels\[0\]\.label.*Unicode/);
    refused({ labels: ['fox'], template: '{} \udd89' }, /templates\[0\].*Unicode/);
  });

  test('many faults at once, the first of them told', () => {
    refused({ labels: [1, 2, 3, 4, 5] }, /labels\[0\].*labels\[1\].*labels\[2\].*2 more/);
  });

  test('more than a set may hold', () => {
    const numbered = (count: number) => Array.from({ length: count }, (_, index) => `${index} {}`);
    refused({ labels: numbered(labelSetLimits.labels + 1) }, /labels: .*100000/);
    refused({ labels: ['fox'], templates: numbered(labelSetLimits.templates + 1) }, /templates: .*1000/);
    refused({ labels: [{ label: 'fox', prompts: numbered(1001) }] }, /labels\[0\]\.prompts/);
    refused({ labels: ['x'.repeat(labelSetLimits.labelChars + 1)] }, /labels\[0\]\.label.*1000/);
    refused({ labels: [{ label: 'fox', prompts: ['x'.repeat(4001)] }] }, /prompts\[0\].*4000/);
    refused({ labels: ['fox'], template: `{}${'x'.repeat(4000)}` }, /templates\[0\].*4000/);
    refused({ labels: numbered(2001), templates: numbered(1000) }, /2000000 prompts, they make 2001000/);
    const long = numbered(2000).map((label) => label.padEnd(1000, '.'));
    refused({ labels: long, templates: numbered(100).map((text) => `${text} {}`) }, /200000000 characters/);
    defineLabelSet({ labels: ['x'.repeat(labelSetLimits.labelChars)] });
  });
});
