import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSessionHealth } from '../../../src/worker/session/sessionHealth.ts';

const imageBytes = 12;
const pixels = (count: number, value = 1) => new Uint8Array(count * imageBytes).fill(value);
const isBlank = (given: Uint8Array) => given.every((byte) => byte === 0);

/** A session that notes what it is given and does with it what the test says. */
function createScene(run: (given: Uint8Array, count: number) => Float32Array, isBlankFinite = true) {
  const given: number[] = [];
  const embed = async (pixels: Uint8Array, count: number) => {
    given.push(isBlank(pixels) ? 0 : count);
    return run(pixels, count);
  };
  return { given, health: createSessionHealth({ imageBytes, embed, isBlankFinite }) };
}

function fail(message: string): never {
  throw new Error(message);
}
const vectors = (count: number, value = 1) => new Float32Array(count * 2).fill(value);

test('a good batch goes through, and nothing else with it', async () => {
  const { given, health } = createScene((_, count) => vectors(count));
  assert.deepEqual(await health.embedImages(pixels(3), 3), vectors(3));
  assert.deepEqual(given, [3]);
});

test('a batch that fails where blank images go through failed by itself', async () => {
  const { given, health } = createScene((given, count) =>
    isBlank(given) ? vectors(count) : fail('these images'),
  );
  for (let i = 0; i < 3; i++) await assert.rejects(health.embedImages(pixels(2), 2), /these images/);
  assert.deepEqual(given, [2, 0, 2, 0, 2, 0]);
});

test('where blank images fail too, a few times in a row, the session is lost: at once for all that comes', async () => {
  const { given, health } = createScene(() => fail('CUDA error 700'));
  const lost = { code: 'SESSION_LOST', message: /blank images too, 4 times in a row.*CUDA error 700/ };
  await assert.rejects(health.embedImages(pixels(2), 2), lost);
  await assert.rejects(health.broken, lost);
  await assert.rejects(health.embedImages(pixels(2), 2), lost);
  assert.deepEqual(given, [2, 0, 0, 0]);
});

test('an error that passes costs its batch and no more', async () => {
  let failures = 2;
  const { health } = createScene((_, count) => (failures-- > 0 ? fail('passes') : vectors(count)));
  await assert.rejects(health.embedImages(pixels(2), 2), /passes/);
  assert.deepEqual(await health.embedImages(pixels(2), 2), vectors(2));
});

test('embeddings that are no numbers are a failure of the batch where all are, and of the session where blanks are too', async () => {
  const some = createScene((_, count) => vectors(count).fill(Number.NaN, 0, 2));
  assert.ok((await some.health.embedImages(pixels(2), 2)).some(Number.isNaN));
  assert.deepEqual(some.given, [2], 'of one image of two: its own');

  const images = createScene((given, count) => vectors(count, isBlank(given) ? 1 : Number.NaN));
  assert.ok((await images.health.embedImages(pixels(2), 2)).every(Number.isNaN));
  assert.deepEqual(images.given, [2, 0]);

  const session = createScene((_, count) => vectors(count, Number.NaN));
  await assert.rejects(session.health.embedImages(pixels(2), 2), { code: 'SESSION_LOST' });
});

test('a model that never had numbers for a blank image is not judged by them', async () => {
  const { health } = createScene((given, count) => vectors(count, isBlank(given) ? Number.NaN : 1), false);
  assert.deepEqual(await health.embedImages(pixels(2), 2), vectors(2));
  await health.embedImages(pixels(2, 0), 2);
});

test('texts that fail are at fault by themselves, unless blank images fail too', async () => {
  const texts = () => Promise.reject(new Error('these texts'));
  const good = createScene((_, count) => vectors(count));
  await assert.rejects(good.health.watch(texts), /these texts/);
  assert.deepEqual(good.given, [0]);
  const bad = createScene(() => fail('device lost'));
  await assert.rejects(bad.health.watch(texts), { code: 'SESSION_LOST', message: /device lost/ });
  await assert.rejects(bad.health.broken, { code: 'SESSION_LOST' });
});
