// The sender alone: the run's ledger and the lane are functions handed in.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import {
  type ChunkSenderOptions,
  createChunkSender,
  type NewChunk,
} from '../../../src/producer/runs/chunkSender.ts';
import type { Run } from '../../../src/shared/runs/run.ts';
import { until } from '../../support/support.ts';

type Options = Partial<ChunkSenderOptions>;

/** A run and a lane that note what they are told; what waits is set by the test. */
function createScene(options: Options = {}) {
  const scene = { pending: 0, looks: 0, chunks: 0, state: 'open' as Run['state'], ids: [] as string[] };
  const rounds: number[] = [];
  const runs: ChunkSenderOptions['runs'] = {
    async get() {
      scene.looks++;
      return { pending: scene.pending, state: scene.state } as Run;
    },
    async reserveChunks(_, count) {
      scene.chunks += count;
      return scene.chunks - count;
    },
    async vouch() {},
    async vouchNoMore() {},
    async announce(_, _chunk, images) {
      scene.pending += images;
      return scene.pending;
    },
  };
  const lane: ChunkSenderOptions['lane'] = {
    async addBulk(jobs) {
      rounds.push(jobs.length);
      for (const { opts } of jobs) scene.ids.push(opts!.jobId!);
      return [];
    },
  };
  const sender = createChunkSender('r', { lane, runs, ...options });
  return { scene, rounds, sender };
}

let drawn = 0;
function chunkOf(images: number, generation = 0): NewChunk {
  const refs = Array.from({ length: images }, () => ({ id: String(drawn++), uri: 'a.jpg' }));
  return { images: refs, generation };
}

test('chunks that come while others are under way go together, in their order', async () => {
  const { scene, rounds, sender } = createScene();
  for (let i = 0; i < 40; i++) await sender.send(chunkOf(2));
  assert.equal(await sender.finish(), 80);
  assert.deepEqual(
    scene.ids,
    Array.from({ length: 40 }, (_, i) => `r.${i}.0`),
  );
  assert.ok(rounds.length < 10, `${rounds}`);
  assert.ok(Math.max(...rounds) <= 16);
});

test('a chunk of a later generation is announced and named as such', async () => {
  const { scene, sender } = createScene();
  await sender.send(chunkOf(1, 2));
  await sender.finish();
  assert.deepEqual(scene.ids, ['r.0.2']);
});

test('at the mark it looks at the run again until there is room', async () => {
  const { scene, sender } = createScene({ highWater: 10 });
  scene.pending = 10;
  let sent = false;
  const sending = sender.send(chunkOf(4)).then(() => {
    sent = true;
  });
  await until(() => scene.looks > 2, 'it looks again');
  assert.deepEqual([sent, scene.ids.length], [true, 0], 'the chunk is taken, and waits');
  await sending;
  scene.pending = 6;
  assert.equal(await sender.finish(), 4);
});

test('a run at its mark all of whose images are passed over needs no room', async () => {
  const choose = async (chunks: NewChunk[]) => chunks.map((chunk) => ({ ...chunk, images: [] }));
  const { scene, sender } = createScene({ highWater: 100, choose });
  scene.pending = 100;
  for (let i = 0; i < 50; i++) await sender.send(chunkOf(64));
  assert.equal(await sender.finish(), 0);
  assert.deepEqual(scene.ids, []);
});

test('no more is added than there is room for, but a chunk that is larger than the mark', async () => {
  const { scene, sender } = createScene({ highWater: 5 });
  const sending = (async () => {
    for (const images of [2, 2, 2, 9]) await sender.send(chunkOf(images));
    return sender.finish();
  })();
  await until(() => scene.ids.length === 3, 'three are added: 2 + 2 leave room for 1');
  assert.equal(scene.pending, 6);
  scene.pending = 4;
  await until(() => scene.ids.length === 4, 'there is room again');
  assert.equal(scene.pending, 13);
  scene.pending = 0;
  assert.equal(await sending, 15);
});

test('whoever waits at the mark of a run that is cancelled is told', async () => {
  const { scene, sender } = createScene({ highWater: 1 });
  scene.pending = 1;
  const sending = sender.send(chunkOf(1));
  scene.state = 'cancelled';
  await assert.rejects(sending, { code: 'RUN_CANCELLED' });
  await assert.rejects(sender.finish(), { code: 'RUN_CANCELLED' });
});

test('a signal ends the waiting for room with its reason', async () => {
  const controller = new AbortController();
  const { scene, sender } = createScene({ highWater: 1, signal: controller.signal });
  scene.pending = 1;
  const sending = sender.send(chunkOf(1));
  const reason = new Error('enough');
  controller.abort(reason);
  await assert.rejects(sending, reason);
  await sender.settled();
  assert.deepEqual(scene.ids, []);
});

test('what fails is told to the next who waits, and nothing hangs', async () => {
  const lane = {
    addBulk: async () => {
      await turn();
      throw new Error('no lane');
    },
  };
  const { sender } = createScene({ lane });
  await sender.send(chunkOf(1));
  await assert.rejects(sender.finish(), /no lane/);
  await assert.rejects(async () => {
    for (let i = 0; i < 20; i++) await sender.send(chunkOf(1));
  }, /no lane/);
});
