import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ClipfleetError } from '../../../src/shared/errors.ts';
import { decodeWhole } from '../../../src/worker/decode/decode.ts';
import { meanDifference } from '../../golden/agreement.ts';
import { repository } from '../../support/fleet.ts';

/** What Pillow and transformers make of a file before resizing; test/golden/make_decodes.py made them all. */
type Golden = { size: [number, number]; sha256: string } | { error: string };

const folder = join(repository, 'test/golden/decodes');
const goldens: Record<string, Golden> = JSON.parse(await readFile(join(folder, 'decodes.json'), 'utf8'));
const limits = { pixelsMax: 1e6, timeoutMs: 10_000 };

/** Python reads these, and they are refused here: the decoder would give other pixels. */
const refused: Record<string, RegExp> = {
  'ycbcr.tif': /YCbCr without JPEG compression/,
  'cielab.tif': /CIELAB/,
  'float.tif': /floating point/,
};

/** Grey levels off on average. Chroma of half resolution: Pillow's decoder blends it, libheif repeats it. */
const boundOf = (file: string) => (file === '420.avif' ? 6.5 : file.endsWith('.heic') ? 0.01 : 0.2);

test('there are goldens of each format, and none that Python refuses', () => {
  const endings = new Set(Object.keys(goldens).map((file) => file.split('.').at(-1)));
  assert.deepEqual([...endings].sort(), ['avif', 'bmp', 'gif', 'heic', 'jpg', 'png', 'tif', 'webp']);
  for (const [file, golden] of Object.entries(goldens)) assert.ok('size' in golden, file);
});

for (const [file, golden] of Object.entries(goldens)) {
  test(`${file} has the pixels that Pillow gives it`, async () => {
    assert.ok('size' in golden);
    const bytes = await readFile(join(folder, file));
    const reason = refused[file];
    if (reason) {
      await assert.rejects(decodeWhole(bytes, limits), (error) => {
        assert.ok(error instanceof ClipfleetError);
        assert.equal(error.code, 'IMAGE_UNSUPPORTED');
        assert.match(error.message, reason);
        return true;
      });
      return;
    }
    const pixels = await decodeWhole(bytes, limits);
    assert.deepEqual([pixels.width, pixels.height], golden.size);
    if (/\.(avif|heic)$/.test(file)) {
      const off = meanDifference(pixels.data, await readFile(join(folder, `${file}.rgb`)));
      assert.ok(off <= boundOf(file), `${off} grey levels off on average`);
    } else {
      assert.equal(createHash('sha256').update(pixels.data).digest('hex'), golden.sha256);
    }
  });
}
