import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { readModelFiles } from '../../../src/worker/model/model.ts';
import { openDevice } from '../../../src/worker/session/devices.ts';
import { type Session, startSession } from '../../../src/worker/session/session.ts';
import { demoModel } from '../../support/fleet.ts';

const imageBytes = 64 * 64 * 3;

async function startDemo(t: TestContext): Promise<Session> {
  const { towers, preprocessing } = await readModelFiles({ dir: demoModel, dtype: 'fp32' });
  const session = await startSession({
    ...towers,
    preprocessing,
    device: await openDevice('cpu'),
    threads: 1,
    batchSize: 4,
    solveScaleFrom: undefined,
  });
  t.after(() => session.close());
  return session;
}

/** Images of noise, each another, the same at every call. */
function noise(count: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length: count * imageBytes }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 24;
  });
}

function rowsOf(embeddings: Float32Array, count: number): Float32Array[] {
  const length = embeddings.length / count;
  return Array.from({ length: count }, (_, i) => embeddings.subarray(i * length, (i + 1) * length));
}

const norm = (vector: Float32Array) => Math.hypot(...vector);

test('embeddings are unit vectors of the dimensions that were announced', async (t) => {
  const session = await startDemo(t);
  assert.equal(session.dimensions, 192);
  const images = rowsOf(await session.embedImages(noise(3), 3), 3);
  const { embeddings, truncated } = await session.embedTexts(['an owl', 'a car on a street']);
  const texts = rowsOf(embeddings, 2);
  for (const row of [...images, ...texts]) {
    assert.equal(row.length, 192);
    assert.ok(Math.abs(norm(row) - 1) < 1e-5, `${norm(row)}`);
  }
  assert.deepEqual(truncated, []);
});

test('an image has the same embedding alone and among 32', async (t) => {
  const session = await startDemo(t);
  const together = rowsOf(await session.embedImages(noise(32), 32), 32);
  for (const place of [0, 7, 31]) {
    const pixels = noise(32).slice(place * imageBytes, (place + 1) * imageBytes);
    const alone = await session.embedImages(pixels, 1);
    const difference = Math.max(...alone.map((value, d) => Math.abs(value - together[place]![d]!)));
    assert.ok(difference < 1e-4, `image ${place}: ${difference}`);
  }
  const [first, second] = together;
  assert.ok(norm(first!.map((value, d) => value - second![d]!)) > 1e-3, 'other images have other embeddings');
});

test('prompts come back in their order, in pieces, and the cut ones are named by their place', async (t) => {
  const session = await startDemo(t);
  const prompts = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 'an owl' : `a car and ${i} trees`));
  prompts[20] = 'owl '.repeat(100);
  const { embeddings, truncated } = await session.embedTexts(prompts);
  assert.deepEqual(truncated, [20]);
  const rows = rowsOf(embeddings, 40);
  for (const place of [1, 15, 17, 39]) {
    const alone = await session.embedTexts([prompts[place]!]);
    const difference = Math.max(...alone.embeddings.map((value, d) => Math.abs(value - rows[place]![d]!)));
    assert.ok(difference < 1e-4, `prompt ${place}: ${difference}`);
  }
});

test('a run that fails rejects its own request and no other', async (t) => {
  const session = await startDemo(t);
  const results = await Promise.allSettled([
    session.embedImages(noise(1), 1),
    session.embedImages(new Uint8Array(7), 1),
    session.embedImages(noise(2), 2),
  ]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  const [, failed] = results;
  assert.equal(failed.status === 'rejected' && failed.reason.code, 'INFERENCE_FAILED');
  assert.equal((await session.embedImages(noise(1), 1)).length, 192);
});

test('the caller’s event loop turns while the session runs', async (t) => {
  const session = await startDemo(t);
  let running = true;
  let turns = 0;
  const run = session.embedImages(noise(64), 64).finally(() => {
    running = false;
  });
  // The first turn may come before the thread has even begun: it is the later ones that a blocked thread would lack.
  while (running) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    turns++;
  }
  await run;
  assert.ok(turns > 10, `${turns} turns of the event loop`);
});

test('close ends the thread, without calling it dead', async (t) => {
  const session = await startDemo(t);
  let died = false;
  session.died.catch(() => {
    died = true;
  });
  const threads = () => process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;
  const before = threads();
  await session.close();
  await new Promise<void>((resolve) => setImmediate(resolve));
  assert.equal(died, false);
  assert.ok(threads() < before, `${before} message ports before, ${threads()} after`);
});
