import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fromHalf, toHalf } from '../../../src/shared/embeddings/half.ts';
import { floats, openGraph } from '../../../src/worker/onnx/graph.ts';
import { dataType } from '../../../src/worker/onnx/onnxProto.ts';
import { type Preprocessing, parsePreprocessing } from '../../../src/worker/resize/preprocessing.ts';
import { runGraph } from '../../../src/worker/session/feeds.ts';
import { packPixels } from '../../../src/worker/session/pack.ts';
import { BYTES_INPUT, withPixelPrefix } from '../../../src/worker/session/pixelPrefix.ts';
import { pick } from '../../../src/worker/session/towerOutputs.ts';
import { repository } from '../../support/fleet.ts';
import { largestDifference } from '../../support/goldens.ts';
import { exportedGraph, mirrorGraph } from '../../support/graphs.ts';

/** Every grey level in every channel, in images that are not square: axes that change places show. */
const [width, height, count] = [32, 24, 3];
const pixels = Uint8Array.from({ length: width * height * 3 * count }, (_, i) => (i * 7 + (i >> 8)) % 256);

async function preprocessingOf(model: string): Promise<Preprocessing> {
  const json = await readFile(join(repository, model, 'preprocessor_config.json'), 'utf8');
  return { ...parsePreprocessing(JSON.parse(json)), width, height };
}

/** What a graph with the prefix makes of the pixels, before its first node. */
async function throughPrefix(
  preprocessing: Preprocessing,
  type: typeof dataType.float | typeof dataType.float16 = dataType.float,
): Promise<Float32Array> {
  const graph = Buffer.concat(withPixelPrefix(mirrorGraph(type), preprocessing)!);
  const session = await openGraph({ name: 'a test', graph }, { providers: ['cpu'], threads: 1 });
  assert.deepEqual(session.inputNames, [BYTES_INPUT]);
  const outputs = await runGraph(session, { data: pixels, count, preprocessing }, undefined);
  const made = floats(pick(outputs, ['image_embeds'], 'a test'));
  await session.release();
  return made;
}

for (const name of ['clip', 'siglip', 'chinese-clip', 'demo']) {
  const model = name === 'demo' ? 'models/demo' : `test/golden/models/${name}`;
  test(`${name}: the graph's numbers are those of numpy to the bit, in 32 and in 16 bits`, async () => {
    const preprocessing = await preprocessingOf(model);
    const packed = packPixels(pixels, count, preprocessing);
    assert.equal(largestDifference(await throughPrefix(preprocessing), packed), 0);
    const halves = await throughPrefix(preprocessing, dataType.float16);
    assert.equal(largestDifference(halves, fromHalf(toHalf(packed))), 0);
  });
}

test('a model that does not rescale, or not normalise, or by another factor', async () => {
  const preprocessing = await preprocessingOf('models/demo');
  const { normalize } = preprocessing;
  for (const [rescaleFactor, normalized] of [
    [1, normalize],
    [1 / 255, undefined],
    [1 / 127.5, normalize],
    [1, undefined],
  ] as const) {
    const other = { ...preprocessing, rescaleFactor, normalize: normalized };
    const difference = largestDifference(await throughPrefix(other), packPixels(pixels, count, other));
    assert.equal(difference, 0, `${rescaleFactor}`);
  }
  const odd = { ...preprocessing, rescaleFactor: 0.0123 };
  const difference = largestDifference(await throughPrefix(odd), packPixels(pixels, count, odd));
  assert.ok(difference < 2e-6, `a factor that is no whole part: one rounding more, ${difference}`);
});

test('a graph without pixels gets no prefix', async () => {
  const preprocessing = await preprocessingOf('models/demo');
  assert.equal(withPixelPrefix(await exportedGraph('text_model.onnx'), preprocessing), undefined);
  assert.throws(() => withPixelPrefix(Buffer.from('no graph at all'), preprocessing), RangeError);
});
