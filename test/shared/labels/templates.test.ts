import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import {
  fillTemplate,
  namedTemplates,
  placesIn,
  resolveTemplates,
} from '../../../src/shared/labels/templates.ts';

/**
 * Hashes of the published lists, one template a line, from another copy of them:
 *
 *     python3 -c "import hashlib, open_clip as o; print(hashlib.sha256('\n'.join(
 *         t('{}') for t in o.OPENAI_IMAGENET_TEMPLATES).encode()).hexdigest())"
 */
const published = {
  'imagenet-7': { count: 7, sha256: '6ef3883987d224b7949da69fe0b615af152e1560eaac4c5c38555e50c882d415' },
  'imagenet-80': { count: 80, sha256: '4f976686fb651bb5803d4689dcd849f75efe0ef19a3c801355bc9a6f03c8a5af' },
};

for (const [name, { count, sha256 }] of Object.entries(published)) {
  test(`${name} is the published list, word for word and in order`, () => {
    const templates = resolveTemplates([name]);
    assert.equal(templates.length, count);
    assert.equal(new Set(templates).size, count);
    assert.ok(templates.every((template) => placesIn(template) === 1));
    assert.equal(createHash('sha256').update(templates.join('\n')).digest('hex'), sha256);
  });
}

test('the 7 best are among the 80', () => {
  const all: readonly string[] = namedTemplates['imagenet-80'];
  for (const template of namedTemplates['imagenet-7']) assert.ok(all.includes(template), template);
});

test('names stand among templates, and what is no name stays as it is', () => {
  const own = ['a {}', 'imagenet-8', 'toString', 'IMAGENET-80'];
  assert.deepEqual(resolveTemplates(['first {}', 'imagenet-7', ...own]), [
    'first {}',
    ...namedTemplates['imagenet-7'],
    ...own,
  ]);
});

test('{} and {c} are places for the label, every other brace is a brace', () => {
  assert.equal(fillTemplate('{} and {c}', 'fox'), 'fox and fox');
  assert.equal(fillTemplate('{{}} {0} {C} { } {', 'fox'), '{fox} {0} {C} { } {');
  assert.equal(placesIn('{} {c} {}'), 3);
  assert.equal(placesIn('{0} {C} { } } {'), 0);
});
