import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Resample } from '../../../src/worker/resize/preprocessing.ts';
import { type Resampler, type RgbImage, resamplePlain } from '../../../src/worker/resize/resample.ts';
import { createSimdResampler } from '../../../src/worker/resize/simdKernel.ts';
import { repository } from '../../support/fleet.ts';

/** Of the pinned Pillow; test/golden/make_resizes.py made them and says what each field is. */
interface Golden {
  seed: number;
  hard: boolean;
  source: [number, number];
  size: [number, number];
  window: [number, number, number, number];
  hashes: Record<Resample, string>;
}

const file = join(repository, 'test/golden/goldens/resizes.json');
const { pillow, resizes }: { pillow: string; resizes: Golden[] } = JSON.parse(await readFile(file, 'utf8'));

function noise({ seed, hard, source: [width, height] }: Golden): RgbImage {
  let state = seed;
  const data = Uint8Array.from({ length: width * height * 3 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return hard ? (state >>> 31) * 255 : state >>> 24;
  });
  return { data, width, height };
}

function hashOf(golden: Golden, filter: Resample, resample: Resampler): string {
  const [left, top, width, height] = golden.window;
  const plan = {
    size: { width: golden.size[0], height: golden.size[1] },
    window: { left, top, width, height },
  };
  const resized = resample(noise(golden), plan, filter);
  assert.deepEqual([resized.width, resized.height, resized.data.length], [width, height, width * height * 3]);
  return createHash('sha256').update(resized.data).digest('hex').slice(0, 16);
}

const simd = createSimdResampler();
assert.ok(simd, 'this processor has SIMD, so that the kernel must be there');
const filters: Resample[] = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'];

for (const [name, resample] of [
  ['plain JavaScript', resamplePlain],
  ['WebAssembly SIMD', simd],
] as const) {
  for (const filter of filters) {
    test(`${name} resizes as Pillow ${pillow} does, to the bit: ${filter}`, () => {
      assert.ok(resizes.length >= 160, `${resizes.length} goldens`);
      for (const golden of resizes) {
        const { source, size, window, hashes } = golden;
        assert.equal(
          hashOf(golden, filter, resample),
          hashes[filter],
          JSON.stringify({ source, size, window }),
        );
      }
    });
  }
}
