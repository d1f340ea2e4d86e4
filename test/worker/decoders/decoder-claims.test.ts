// What a decoder asks for before it decodes an image, told to it directly.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { startDecoder } from '../../../src/worker/decoders/decoderProcess.ts';
import { setupOf } from '../../../src/worker/decoders/decodersOptions.ts';
import { preprocessing } from '../../support/decoderStage.ts';

const program = fileURLToPath(new URL('../../../src/worker/decoders/decoderChild.js', import.meta.url));
const files = { roots: new Map<string, string>(), trustPaths: true, bytesMax: 1e6 };

test('a progressive JPEG asks for room for its coefficients too', async (t) => {
  const decoder = startDecoder(setupOf({ preprocessing, decoding: {}, files, decoders: 1 }), program);
  t.after(() => decoder.end());
  assert.equal(await decoder.started, undefined);
  const image = sharp({ create: { width: 100, height: 60, channels: 3, background: 'red' } });
  const decode = async (room: number, progressive: boolean) => {
    const bytes = await image.clone().jpeg({ progressive, chromaSubsampling: '4:4:4' }).toBuffer();
    const request = { id: room, room, isLarge: false, digest: false };
    const answer = await decoder.decode(request, bytes);
    assert.ok('reply' in answer);
    return 'needs' in answer.reply ? answer.reply.needs : 'pixels';
  };
  assert.equal(await decode(6_000, false), 'pixels');
  assert.equal(await decode(5_999, false), 6_000);
  assert.equal(await decode(17_999, true), 18_000);
  assert.equal(await decode(18_000, true), 'pixels');
});
