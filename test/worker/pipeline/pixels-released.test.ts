import assert from 'node:assert/strict';
import { test } from 'node:test';
import PQueue from 'p-queue';
import { createEmbeddingOf } from '../../../src/worker/pipeline/embeddingOf.ts';
import { createStageTimes } from '../../../src/worker/pipeline/stageTimes.ts';

/** How many bytes of an image's pixels are left after `embed` has had them. */
async function leftAfter(embed: (pixels: Uint8Array) => Promise<Float32Array>): Promise<number> {
  const data = new Uint8Array(300);
  const embeddingOf = createEmbeddingOf<string>({
    fetchImage: () => ({ bytes: new Uint8Array(1) }),
    decodeImage: async () => ({ kind: 'pixels', pixels: { data, width: 10, height: 10 } }),
    embedImage: embed,
    inFlight: new PQueue(),
    times: createStageTimes({ batchSize: 1, decoders: 1, imagesInFlight: 1 }),
  });
  await embeddingOf('owl').catch(() => {});
  return data.length;
}

test('pixels are given back when they are embedded, and not before', async () => {
  let seen = 0;
  const left = await leftAfter(async (pixels) => {
    await new Promise((resolve) => setImmediate(resolve));
    seen = pixels.length;
    return new Float32Array(1);
  });
  assert.deepEqual([seen, left], [300, 0]);
});

test('pixels that could not be embedded are given back too', async () => {
  assert.equal(await leftAfter(() => Promise.reject(new Error('out of memory'))), 0);
});
