import assert from 'node:assert/strict';
import { decodersOf } from './decoderStage.ts';
import { copyPictures, demoModel, type Fleet } from './fleet.ts';
import { until } from './support.ts';

/** A little generator with a fixed seed (Park and Miller's). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/**
 * A run through one worker whose decoders are killed at random, spread over the run: every image must be classified.
 */
export async function classifyWhileKilling(fleet: Fleet, images: number, kills: number): Promise<void> {
  const next = random(7);
  await copyPictures(fleet, 'many', images);
  // Rows come by the chunk: after large chunks many kills would be due at once.
  const args = ['--labels', 'fox,bear,owl', '--model', demoModel, '--run', 'r', '--chunk-size', '4'];
  const enqueued = await fleet.run('enqueue', 'many', ...args);
  assert.equal(enqueued.code, 0, enqueued.stderr);
  const { store, runs } = fleet.producer;
  const worker = fleet.start('worker', '--model', demoModel, '--decoders', '2', '--batch-size', '4');
  const pid = worker.child.pid!;
  let killed = 0;
  while (killed < kills) {
    // Images that are done since the last kill, now more, now fewer; and one that is in a decoder.
    const wanted = Math.floor(((killed + next()) * (images - 50)) / kills);
    const isDone = async () => {
      assert.equal(worker.child.exitCode, null, worker.text().stderr);
      const { classified, failed } = await store.counts('r');
      return classified + failed >= wanted && decodersOf(pid).length > 0;
    };
    await until(isDone, `${wanted} of ${images} images are done`, 120_000);
    const decoders = decodersOf(pid);
    // Any one, and then the oldest, which works: a worker whose new decoders are all killed as they start has to end.
    const chosen = decoders[killed % 2 === 0 ? Math.floor(next() * decoders.length) : 0];
    if (chosen !== undefined && wasKilled(chosen)) killed++;
  }
  await until(async () => (await runs.get('r'))?.state === 'complete', 'the run is complete', 120_000);
  assert.deepEqual(await store.counts('r'), { classified: images, failed: 0, failures: {} });
  assert.equal(worker.child.exitCode, null, 'it is the worker that it was');
}

function wasKilled(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}
