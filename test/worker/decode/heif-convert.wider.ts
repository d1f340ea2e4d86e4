import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodeWhole } from '../../../src/worker/decode/decode.ts';
import { decodeHeic } from '../../../src/worker/decode/heicImage.ts';
import { repository } from '../../support/fleet.ts';
import { neededProgram } from '../../support/wider.ts';

test('the pixels by libheif’s own program are those of the reference', async () => {
  const path = join(repository, 'test/golden/decodes/plain.heic');
  const { data, width, height } = await decodeHeic(await readFile(path), {
    heicDecode: undefined,
    heifConvert: neededProgram('heif-convert'),
    decodePng: (png) => decodeWhole(png, { pixelsMax: 1e6, timeoutMs: 10_000 }),
    timeoutMs: 60_000,
  });
  assert.deepEqual([width, height], [40, 28]);
  assert.ok(Buffer.from(data).equals(await readFile(`${path}.rgb`)));
});
