import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { Resample } from '../../../src/worker/resize/preprocessing.ts';
import { type RgbImage, resamplePlain } from '../../../src/worker/resize/resample.ts';
import { planResize } from '../../../src/worker/resize/resizeGeometry.ts';
import { createSimdResampler } from '../../../src/worker/resize/simdKernel.ts';
import { repository } from '../../support/fleet.ts';

const filters: Resample[] = ['bicubic', 'bilinear', 'lanczos', 'box', 'hamming', 'nearest'];
const clip = { resize: { shortestEdge: 224 }, crop: { width: 224, height: 224 } };

let state = 7;
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

function noise(width: number, height: number): RgbImage {
  const isHard = random() < 0.5;
  const level = isHard ? () => (random() < 0.5 ? 0 : 255) : () => random() * 256;
  return { data: Uint8Array.from({ length: width * height * 3 }, level), width, height };
}

function assertSame(source: RgbImage, to: Parameters<typeof planResize>[1], filter: Resample): void {
  const plan = planResize(source, to, 'floor');
  const [expected, got] = [resamplePlain(source, plan, filter), simd(source, plan, filter)];
  const says = `${filter} ${source.width} x ${source.height} ${JSON.stringify(plan)}`;
  assert.deepEqual([got.width, got.height], [expected.width, expected.height], says);
  assert.ok(Buffer.from(expected.data).equals(got.data), says);
}

const found = createSimdResampler();
assert.ok(found);
const simd = found;

test('SIMD gives the bytes of its definition, for large, tall, wide and single-pixel images', () => {
  const sizes = [
    [500, 375],
    [375, 1200],
    [1201, 333],
    [30, 4000],
    [4000, 30],
    [700, 1],
    [1, 1],
  ] as const;
  for (const [width, height] of sizes) {
    const source = noise(width, height);
    for (const filter of filters) assertSame(source, clip, filter);
  }
});

test('SIMD gives the bytes of its definition, for any size to any size', () => {
  for (let i = 0; i < 40; i++) {
    const source = noise(1 + Math.floor(random() * 300), 1 + Math.floor(random() * 300));
    const resize = { width: 1 + Math.floor(random() * 120), height: 1 + Math.floor(random() * 120) };
    for (const filter of filters) assertSame(source, { resize, crop: undefined }, filter);
  }
});

test('an image that needs much memory leaves no trace in the next', () => {
  const tall = noise(3, 60_000);
  const exact = { resize: { width: 224, height: 224 }, crop: undefined };
  assertSame(tall, exact, 'bicubic');
  assertSame(noise(60_000, 3), exact, 'lanczos');
  assertSame(noise(100, 80), clip, 'bicubic');
});

test('where WebAssembly is switched off, plain JavaScript does it', async () => {
  const script = `import { kernelName } from ${JSON.stringify(new URL('../../../src/worker/resize/kernel.js', import.meta.url))}; console.log(kernelName);`;
  const run = promisify(execFile);
  const named = async (...flags: string[]) => {
    const argv = [...flags, '--input-type=module', '--eval', script];
    return (await run(process.execPath, argv, { cwd: join(repository) })).stdout.trim();
  };
  assert.equal(await named(), 'WebAssembly SIMD');
  assert.equal(await named('--jitless'), 'plain JavaScript');
});
