import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alignColumns, fit, printable } from '../../../src/cli/terminal/printable.ts';

test('what would steer a terminal is shown as a mark, and letters of all scripts stay', () => {
  assert.equal(printable('a\u001b[2Jb\u0007\r\nc\u0000'), 'a\u{fffd}[2Jb\u{fffd}\u{fffd}\u{fffd}c\u{fffd}');
  assert.equal(printable('x\u009b31my\u007f'), 'x\u{fffd}31my\u{fffd}', 'the one-byte forms too');
  assert.equal(
    printable('gpj.\u202eexe\u2066\u2028'),
    'gpj.\u{fffd}exe\u{fffd}\u{fffd}',
    'nor what turns text round',
  );
  for (const text of ['フクロウ', 'café', '🦉', 'ضفدع', '👩‍🚀']) assert.equal(printable(text), text);
});

test('text is cut to a width in columns, not in characters', () => {
  assert.equal(fit('owl', 3), 'owl');
  assert.equal(fit('owls', 3), 'ow…');
  assert.equal(fit('フクロウ', 8), 'フクロウ');
  assert.equal(fit('フクロウ', 7), 'フクロ…');
  assert.equal(fit('フクロウ', 6), 'フク…', 'half a character does not fit');
  assert.equal(fit('🦉🦉🦉', 5), '🦉🦉…');
  assert.equal(fit('\u001b[31mred', 5), '\u{fffd}[31…');
});

test('columns stand one under the other, also where characters take two', () => {
  const aligned = alignColumns([
    ['フクロウ', '1'],
    ['owl', '2', 'more'],
    ['', '3'],
  ]);
  assert.equal(aligned, 'フクロウ  1\nowl       2  more\n          3');
  assert.equal(alignColumns([]), '');
});
