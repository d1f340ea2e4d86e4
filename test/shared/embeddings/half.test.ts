import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromHalf, toHalf } from '../../../src/shared/embeddings/half.ts';
import { floats } from '../../../src/worker/onnx/graph.ts';

const hex = (value: number) => toHalf(Float32Array.of(value))[0]!.toString(16).padStart(4, '0');

test('all 65,536 halves come back as they were', () => {
  const halves = Uint16Array.from({ length: 65_536 }, (_, half) => half);
  const back = toHalf(fromHalf(halves));
  const isNan = (half: number) => (half & 0x7fff) > 0x7c00;
  for (const half of halves) {
    if (isNan(half)) assert.ok(isNan(back[half]!), `NaN ${half.toString(16)}`);
    else assert.equal(back[half], half);
  }
});

// Bit patterns of IEEE 754-2008, binary16: 1 sign bit, 5 of exponent with bias 15, 10 of mantissa.
test('known values have their known bits', () => {
  const known: [string, number][] = [
    ['0000', 0],
    ['8000', -0],
    ['3c00', 1],
    ['c000', -2],
    ['3555', 0.333251953125],
    ['7bff', 65_504],
    ['0400', 2 ** -14],
    ['03ff', 1_023 * 2 ** -24],
    ['0001', 2 ** -24],
    ['7c00', Number.POSITIVE_INFINITY],
    ['fc00', Number.NEGATIVE_INFINITY],
  ];
  for (const [bits, value] of known) {
    assert.equal(hex(value), bits);
    assert.ok(Object.is(fromHalf(Uint16Array.of(Number.parseInt(bits, 16)))[0], value), bits);
  }
});

test('what lies between two halves goes to the nearer, and from the middle to the even one', () => {
  const step = 2 ** -10;
  assert.equal(hex(1 + 0.49 * step), '3c00');
  assert.equal(hex(1 + 0.5 * step), '3c00');
  assert.equal(hex(1 + 0.51 * step), '3c01');
  assert.equal(hex(1 + 1.5 * step), '3c02');
  assert.equal(hex(-(1 + 1.5 * step)), 'bc02');
  assert.equal(hex(2 - step / 4), '4000', 'the carry moves into the exponent');
});

test('below the normal range likewise', () => {
  const step = 2 ** -24;
  assert.equal(hex(step / 2), '0000');
  assert.equal(hex(step * 0.51), '0001');
  assert.equal(hex(step * 1.5), '0002');
  assert.equal(hex(step * 1_023.5), '0400', 'the largest one rounds up to the first normal one');
});

test('too large a number becomes infinite from where it would round beyond the largest half', () => {
  assert.equal(hex(65_519), '7bff');
  assert.equal(hex(65_520), '7c00');
  assert.equal(hex(-1e30), 'fc00');
  assert.equal(hex(Number.NaN) > '7c00', true);
});

test('an output of halves is floats, whether the runtime gives bits or numbers', () => {
  const numbers = Float32Array.of(1.5, -0.25, 65_504);
  const bits = toHalf(numbers);
  const floatsOf = (data: unknown) => floats({ type: 'float16', data } as Parameters<typeof floats>[0]);
  assert.deepEqual(floatsOf(bits), numbers);
  // A Float16Array, where Node has it: an array of numbers that is no Uint16Array.
  assert.deepEqual(floatsOf(numbers), numbers);
});
