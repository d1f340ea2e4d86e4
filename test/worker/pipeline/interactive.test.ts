import assert from 'node:assert/strict';
import { test } from 'node:test';
import PQueue from 'p-queue';
import type { ImageRef } from '../../../src/shared/refs/imageRef.ts';
import type { DecodeVerdict } from '../../../src/worker/decoders/decoders.ts';
import { createBatcher } from '../../../src/worker/pipeline/batcher.ts';
import { createEmbeddingOf } from '../../../src/worker/pipeline/embeddingOf.ts';
import { createStageTimes } from '../../../src/worker/pipeline/stageTimes.ts';

/** A stage that holds each image until the test lets it go; of an image, all that is known is its number. */
function gate<T>() {
  const entered: { image: number; open(result: T): void }[] = [];
  return {
    /** The images in the order they came in. */
    order: () => entered.map(({ image }) => image),
    enter: (image: number) => new Promise<T>((open) => entered.push({ image, open })),
    open: (place: number, result: T) => entered[place]!.open(result),
  };
}

/** The way to an embedding with a gate at each stage; limits as given. */
function gatedLine(limits: { inFlight: number; batchSize: number }) {
  const fetching = gate<{ bytes: Uint8Array }>();
  const decoding = gate<DecodeVerdict>();
  const batches = gate<Float32Array>();
  const embedded: number[][] = [];
  const batcher = createBatcher({
    batchSize: limits.batchSize,
    imageBytes: 1,
    run: (pixels, count) => {
      embedded.push([...pixels.subarray(0, count)]);
      return batches.enter(embedded.length - 1);
    },
  });
  const embeddingOf = createEmbeddingOf<ImageRef>({
    fetchImage: ({ id }) => fetching.enter(Number(id)),
    decodeImage(source) {
      assert.ok('bytes' in source);
      return decoding.enter(source.bytes[0]!);
    },
    embedImage: batcher.embedImage,
    inFlight: new PQueue({ concurrency: limits.inFlight }),
    times: createStageTimes({
      batchSize: limits.batchSize,
      decoders: 1,
      imagesInFlight: limits.inFlight,
    }),
  });
  return {
    fetching,
    decoding,
    embedded,
    add: (image: number, urgent = false) => embeddingOf({ id: `${image}`, uri: 'data:,' }, { urgent }),
    fetched: (place: number) => fetching.open(place, { bytes: Uint8Array.of(fetching.order()[place]!) }),
    decoded: (place: number) =>
      decoding.open(place, {
        kind: 'pixels',
        pixels: { data: Uint8Array.of(decoding.order()[place]!), width: 1, height: 1 },
      }),
    ran: (place: number) => batches.open(place, Float32Array.from(embedded[place]!)),
  };
}

/** All that follows from what has happened so far, promise after promise. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

const urgent = 9;

test('where images wait to begin, an urgent one goes first', async () => {
  const line = gatedLine({ inFlight: 1, batchSize: 1 });
  const bulk = [0, 1, 2].map((image) => line.add(image));
  const person = line.add(urgent, true);
  await settled();
  assert.deepEqual(line.fetching.order(), [0], 'one in flight');
  for (let place = 0; place < 4; place++) {
    line.fetched(place);
    await settled();
    line.decoded(place);
    await settled();
    line.ran(place);
    await settled();
  }
  assert.deepEqual(line.fetching.order(), [0, urgent, 1, 2]);
  assert.deepEqual(await person, Float32Array.of(urgent), 'each has the embedding of its own image');
  assert.deepEqual(
    await Promise.all(bulk),
    [0, 1, 2].map((image) => Float32Array.of(image)),
  );
});

test('where images wait for the session', async () => {
  const line = gatedLine({ inFlight: 10, batchSize: 2 });
  const images = [0, 1, 2, 3, 4];
  for (const image of images) void line.add(image);
  void line.add(urgent, true);
  await settled();
  for (const place of images) line.fetched(place);
  await settled();
  for (const place of images) line.decoded(place);
  await settled();
  assert.deepEqual(line.embedded, [[0], [1, 2]], 'one batch runs, one is queued, two images wait');
  line.fetched(5);
  await settled();
  line.decoded(5);
  await settled();
  line.ran(0);
  await settled();
  assert.deepEqual(line.embedded, [[0], [1, 2], [urgent, 3]]);
});
