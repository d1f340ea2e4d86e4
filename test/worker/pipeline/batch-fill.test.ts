import assert from 'node:assert/strict';
import { test } from 'node:test';
import PQueue from 'p-queue';
import { createBatcher } from '../../../src/worker/pipeline/batcher.ts';
import { createEmbeddingOf } from '../../../src/worker/pipeline/embeddingOf.ts';
import { createStageTimes } from '../../../src/worker/pipeline/stageTimes.ts';

const batchSize = 16;

/** Turns of the event loop: the clock of this test. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** The mean fill of the batches of a backlog, where an image takes so many turns to decode and a batch in the session. */
async function fillOf(images: number, decodeTurns: number, batchTurns: number): Promise<number> {
  const batches: number[] = [];
  const { embedImage } = createBatcher({
    batchSize,
    imageBytes: 1,
    onBatch: (count) => batches.push(count),
    async run(_, count) {
      await turns(batchTurns);
      return new Float32Array(count);
    },
  });
  const decoding = new PQueue({ concurrency: 2 });
  const embeddingOf = createEmbeddingOf<number>({
    fetchImage: () => ({ bytes: new Uint8Array(1) }),
    decodeImage: async () => {
      await decoding.add(() => turns(decodeTurns));
      return { kind: 'pixels', pixels: { data: new Uint8Array(1), width: 1, height: 1 } };
    },
    embedImage,
    inFlight: new PQueue({ concurrency: 3 * batchSize }),
    times: createStageTimes({ batchSize, decoders: 2, imagesInFlight: 3 * batchSize }),
  });
  await Promise.all(Array.from({ length: images }, (_, image) => embeddingOf(image)));
  assert.equal(
    batches.reduce((sum, count) => sum + count, 0),
    images,
  );
  return images / (batches.length * batchSize);
}

test('under a backlog that the session cannot keep up with, batches are full', async () => {
  const fill = await fillOf(1_600, 2, 40);
  assert.ok(fill >= 0.9, `${fill}`);
});

test('where decoding holds up the session, nothing waits for a fuller batch', async () => {
  const fill = await fillOf(400, 40, 2);
  assert.ok(fill < 0.5, `${fill}`);
});
