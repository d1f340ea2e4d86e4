import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodeImage } from '../../../src/worker/decode/decode.ts';
import { parsePreprocessing } from '../../../src/worker/resize/preprocessing.ts';
import { meanDifference } from '../../golden/agreement.ts';
import { repository } from '../../support/fleet.ts';

/** Goldens of transformers' PIL image processors; test/golden/make_goldens.py made them and says how they are laid out. */
interface Golden {
  modelDir: string;
  imageDir: string;
  width: number;
  height: number;
  images: { file: string }[];
}

const options = { pixelsMax: 1e6, timeoutMs: 10_000 };

/** Grey levels on average: none, but for an AVIF with chroma of half resolution, which Pillow's decoder blends and libheif repeats. */
const boundOf = (file: string) => (file.endsWith('.avif') ? 0.7 : 0);

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
    for (const [i, { file }] of golden.images.entries()) {
      const bytes = await readFile(join(repository, golden.imageDir, file));
      const pixels = await decodeImage(bytes, preprocessing, options);
      const difference = meanDifference(
        pixels.data,
        expected.subarray(i * bytesPerImage, (i + 1) * bytesPerImage),
      );
      const limit = boundOf(file);
      assert.ok(difference <= limit, `${file}: ${difference.toFixed(3)} grey levels, ${limit} allowed`);
    }
  });
}
