import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { decodeWhole } from '../../../src/worker/decode/decode.ts';
import { decodeHeic } from '../../../src/worker/decode/heicImage.ts';
import { pixelsOf } from '../../../src/worker/decoders/decoders.ts';
import { openStage } from '../../support/decoderStage.ts';
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

test('a decoder without heic-decode gives the same pixels by the program', async (t) => {
  neededProgram('heif-convert');
  const path = join(repository, 'test/golden/decodes/plain.heic');
  const program = new URL('../decoders/decoder-without-heic.js', import.meta.url);
  const raw = { width: 40, height: 28, channels: 3 as const };
  const png = await sharp(await readFile(`${path}.rgb`), { raw })
    .png()
    .toBuffer();
  const stage = openStage(t, { program });
  const [heic, reference] = await Promise.all([
    stage.decode({ file: { uri: path } }),
    stage.decode({ bytes: png }),
  ]);
  assert.deepEqual(pixelsOf(heic), pixelsOf(reference));
});
