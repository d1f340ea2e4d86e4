import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Suspect } from '../../../src/shared/runs/losses.ts';
import { planOf } from '../../../src/worker/losses/lossPlan.ts';

/** The plan for images by their letters, of which some were lost with so many, or took down so many processes alone. */
function plan(images: string, suspects: Record<string, [size: number, deaths?: number]>) {
  const of = new Map<string, Suspect>();
  for (const [letters, [size, deaths = 0]] of Object.entries(suspects))
    for (const letter of letters) of.set(letter, { size, deaths });
  const found = planOf([...images], (image) => of.get(image));
  if (found.kind !== 'divided') return found.kind;
  return [found.parts.map((part) => part.join('')), found.condemned.join('')];
}

test('images that were never lost are worked on together', () => {
  assert.equal(plan('abcd', {}), 'together');
});

test('a piece that was lost goes on in halves, and a half as it is', () => {
  assert.deepEqual(plan('abcdefgh', { abcdefgh: [8] }), [['abcd', 'efgh'], '']);
  assert.equal(plan('abcd', { abcd: [8] }), 'together');
  assert.deepEqual(plan('abcd', { abcd: [4] }), [['ab', 'cd'], '']);
  assert.deepEqual(plan('abc', { abc: [3] }), [['a', 'b', 'c'], '']);
});

test('one image that was lost with another, or by itself, is worked on alone', () => {
  assert.equal(plan('a', { a: [2] }), 'alone');
  assert.equal(plan('a', { a: [1] }), 'alone');
  assert.equal(plan('a', { a: [1, 1] }), 'alone');
  assert.equal(plan('a', { a: [4] }), 'together');
});

test('suspects that come back among others are parted from them, by how far they are narrowed down', () => {
  assert.deepEqual(plan('abcdefgh', { cd: [4], g: [1, 1] }), [['abefh', 'cd', 'g'], '']);
});

test('an image is condemned by its second death alone, and no other with it', () => {
  assert.deepEqual(plan('abcd', { a: [1, 2], b: [1, 1], cd: [4] }), [['b', 'cd'], 'a']);
  assert.deepEqual(plan('a', { a: [1, 2] }), [[], 'a']);
});
