// The pipeline between what it is handed: a source of images and a session.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClipfleetError } from '../../../src/shared/errors.ts';
import { defineLabelSet } from '../../../src/shared/labels/labelSet.ts';
import type { Decoders } from '../../../src/worker/decoders/decoders.ts';
import { openPipeline } from '../../../src/worker/pipeline/pipeline.ts';
import { clip, matrix } from '../../support/threeLabels.ts';

const labels = { labelSet: defineLabelSet({ labels: ['fox', 'bear', 'owl'] }), matrix };

/** A session of one-pixel images: the embedding is where the red channel points. */
function openSession() {
  let die: (error: Error) => void = () => {};
  const died = new Promise<never>((_, reject) => {
    die = reject;
  });
  const batches: number[] = [];
  let fitting: (images: number) => void = () => {};
  const session = {
    died,
    onImagesFitting(listener: typeof fitting) {
      fitting = listener;
    },
    async embedImages(pixels: Uint8Array, count: number) {
      batches.push(count);
      return Float32Array.from(Array.from({ length: count }, (_, i) => [pixels[3 * i]! / 255, 0]).flat());
    },
  };
  const model = { session, preprocessing: { width: 1, height: 1 }, scoring: clip } as never;
  return { model, batches, die, fit: (images: number) => fitting(images) };
}

/** Decoders of files that hold one red level: what a pipeline is handed, without processes. */
function openDecoders(onBegin: () => () => void): Decoders {
  return {
    died: new Promise<never>(() => {}),
    async decode(source) {
      const done = onBegin();
      const [red] = 'bytes' in source ? source.bytes : [];
      done();
      const pixels = { data: Uint8Array.of(red!, 0, 0), width: 1, height: 1 };
      return { kind: 'pixels', pixels, digest: `${red}` };
    },
    close: async () => {},
  };
}

const fileOf = (red: number) => ({ bytes: Uint8Array.of(red) });
const limits = { batchSize: 4, decoders: 2 };

test('an image is fetched, decoded, embedded, and ranked by its embedding', async (t) => {
  const { model } = openSession();
  const source = { fetchImage: fileOf, openDecoders };
  const pipeline = openPipeline<number>(model, source, limits);
  t.after(() => pipeline.close());
  const embedding = await pipeline.embeddingOf(255);
  assert.deepEqual(embedding, Float32Array.of(1, 0));
  const ranked = await pipeline.rank(embedding, labels);
  assert.deepEqual(
    ranked.map(({ index }) => index),
    [0, 1, 2],
  );
  const { stages } = pipeline.times.takeReport();
  const counted = Object.entries(stages).map(([stage, { images }]) => `${stage} ${images}`);
  assert.deepEqual(counted, ['fetch 1', 'decode 1', 'wait 1', 'inference 1', 'score 1', 'store 0']);
});

test('as many images as may be in flight are fetched at the same time, and batches are no larger than fits', async () => {
  const { model, batches, fit } = openSession();
  const waiting: (() => void)[] = [];
  const fetchImage = (red: number) =>
    new Promise<ReturnType<typeof fileOf>>((resolve) => waiting.push(() => resolve(fileOf(red))));
  const fitting: number[] = [];
  const onImagesFitting = (images: number) => fitting.push(images);
  const { embeddingOf, imagesInFlight } = openPipeline<number>(model, { fetchImage, openDecoders }, limits, {
    onImagesFitting,
  });
  assert.equal(imagesInFlight, 12, 'three batches');
  fit(2);
  assert.deepEqual(fitting, [2]);
  const all = Promise.all(Array.from({ length: 20 }, (_, i) => embeddingOf(i)));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(waiting.length, 12);
  while (waiting.length > 0) {
    for (const open of waiting.splice(0)) open();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await all;
  assert.ok(Math.max(...batches) <= 2, `${batches}`);
});

test('equal files are embedded once where embeddings are remembered', async () => {
  const { model, batches } = openSession();
  const source = { fetchImage: () => fileOf(7), openDecoders };
  const { embeddingOf } = openPipeline<number>(model, source, { ...limits, embeddingCache: 10 });
  await Promise.all([embeddingOf(1), embeddingOf(2)]);
  assert.deepEqual(batches, [1]);
});

/** A source that hears nothing but its signal, as a host that never answers. */
const hangs = {
  fetchImage: (_: number, signal: AbortSignal) =>
    new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  openDecoders,
};

test('when a thread is gone, images that are being fetched or wait for it end with the same error', async () => {
  const { model, die } = openSession();
  const { embeddingOf, died } = openPipeline<number>(model, hangs, { ...limits, imagesInFlight: 1 });
  const images = [embeddingOf(1), embeddingOf(2)];
  die(new ClipfleetError('SESSION_LOST', 'The session thread ended.'));
  for (const end of [...images, died, embeddingOf(3)]) await assert.rejects(end, { code: 'SESSION_LOST' });
});

test('fetches that are stopped end with the reason given', async () => {
  const { embeddingOf, stop } = openPipeline<number>(openSession().model, hangs, limits);
  const image = embeddingOf(1);
  await new Promise((resolve) => setImmediate(resolve));
  stop(new Error('no time left'));
  await assert.rejects(image, /no time left/);
});
