import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodeImage } from '../../../src/worker/decode/decode.ts';
import { parsePreprocessing } from '../../../src/worker/decode/preprocessing.ts';
import { repository } from '../../support/fleet.ts';

/** Goldens of transformers' PIL image processors; test/golden/make_goldens.py made them and says how they are laid out. */
interface Golden {
  modelDir: string;
  imageDir: string;
  width: number;
  height: number;
  images: { file: string; sourceWidth: number; sourceHeight: number }[];
}

const options = { pixelsMax: 1e6, timeoutMs: 10_000 };

/** Grey levels of 255, mean over all pixels and channels. */
function meanDifference(a: Uint8Array, b: Uint8Array): number {
  assert.equal(a.length, b.length);
  return a.reduce((sum, level, i) => sum + Math.abs(level - b[i]!), 0) / a.length;
}

/**
 * What the two resamplers may differ by. Where nothing shrinks it is Pillow's own arithmetic, and the same to the bit.
 * libvips shrinks with coarser weights, and from a fourth on averages blocks of pixels first.
 */
function tolerance(file: string, timesSmaller: number): number {
  // Chroma of half resolution: Pillow's decoder blends it, libheif repeats it.
  if (file.endsWith('.avif')) return 1.0;
  if (timesSmaller <= 1) return 0;
  return timesSmaller < 4 ? 0.5 : 1.5;
}

for (const name of ['clip', 'siglip', 'chinese-clip', 'demo']) {
  test(`pixels of ${name} are those of transformers`, async () => {
    const path = join(repository, 'test/golden/goldens', name);
    const golden: Golden = JSON.parse(await readFile(`${path}.json`, 'utf8'));
    const expected = await readFile(`${path}.u8`);
    const config = await readFile(join(repository, golden.modelDir, 'preprocessor_config.json'), 'utf8');
    const preprocessing = parsePreprocessing(JSON.parse(config));
    assert.deepEqual([preprocessing.width, preprocessing.height], [golden.width, golden.height]);

    const bytesPerImage = golden.width * golden.height * 3;
    assert.equal(expected.length, golden.images.length * bytesPerImage);
    for (const [i, { file, sourceWidth, sourceHeight }] of golden.images.entries()) {
      const bytes = await readFile(join(repository, golden.imageDir, file));
      const pixels = await decodeImage(bytes, preprocessing, options);
      const difference = meanDifference(
        pixels.data,
        expected.subarray(i * bytesPerImage, (i + 1) * bytesPerImage),
      );
      const widest = Math.max(sourceWidth / golden.width, sourceHeight / golden.height);
      const narrowest = Math.min(sourceWidth / golden.width, sourceHeight / golden.height);
      const timesSmaller = 'shortestEdge' in preprocessing.resize ? narrowest : widest;
      const limit = tolerance(file, timesSmaller);
      assert.ok(difference <= limit, `${file}: ${difference.toFixed(3)} grey levels, ${limit} allowed`);
    }
  });
}
