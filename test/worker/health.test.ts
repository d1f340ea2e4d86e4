// The judgement alone: lanes, session, Redis and the clock are functions handed in.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createHealth } from '../../src/worker/health.ts';
import { silent } from '../support/heart.ts';

/** A worker whose parts are well, and can be made otherwise. */
function createScene() {
  const state = {
    redis: true,
    probe: async () => {},
    waiting: 0,
    hasRoom: true,
    taken: 0,
    reopened: 0,
    now: 0,
  };
  let probes = 0;
  const health = createHealth({
    ping: async () => {
      if (!state.redis) throw new Error('gone');
    },
    probe: () => {
      probes++;
      return state.probe();
    },
    lanes: [
      {
        name: '{bulk}',
        taken: () => state.taken,
        hasRoom: () => state.hasRoom,
        waiting: async () => state.waiting,
        reopen: () => void state.reopened++,
      },
    ],
    log: silent,
    now: () => state.now,
  });
  /** So many looks, five seconds apart. */
  const look = async (times = 1) => {
    for (let i = 0; i < times; i++) {
      state.now += 5_000;
      await health.look();
      await turn();
    }
  };
  return { state, health, look, probes: () => probes };
}

test('a worker that has nothing to do is ready once its session was asked, and as long as it answers', async () => {
  const { state, health, look, probes } = createScene();
  assert.equal(health.report().ready, false, 'nothing is known yet');
  await look();
  assert.deepEqual([health.report().ready, health.report().reasons], [true, []]);
  await look(12);
  assert.ok(probes() >= 3, `asked ${probes()} times in a minute`);
  state.probe = () => new Promise(() => {});
  await look(3);
  assert.equal(health.report().ready, true, 'it may be busy');
  await look(14);
  assert.match(health.report().reasons.join(), /no batch and no probe of the session went well lately/);
});

test('a session that has work is not asked', async () => {
  const { health, look, probes } = createScene();
  for (let i = 0; i < 20; i++) {
    health.batchWentWell();
    await look();
  }
  assert.deepEqual([probes(), health.report().ready], [0, true]);
});

test('without Redis it is not ready, and nothing is said of lanes', async () => {
  const { state, health, look } = createScene();
  state.waiting = 1;
  await look();
  state.redis = false;
  await look(60);
  assert.deepEqual(health.report().reasons, ['Redis does not answer']);
  assert.equal(state.reopened, 0);
  state.redis = true;
  state.taken++;
  await look();
  assert.equal(health.report().ready, true);
});

test('where jobs wait, there is room and none is taken, the lane is opened anew after a minute; after another it ends', async () => {
  const { state, health, look } = createScene();
  let end: Error | undefined;
  health.died.catch((error: Error) => {
    end = error;
  });
  state.waiting = 3;
  await look(3);
  assert.deepEqual(health.report().reasons, ['jobs wait in lane {bulk}, and none is taken']);
  await look(9);
  assert.equal(state.reopened, 0);
  await look(1);
  assert.equal(state.reopened, 1);
  await look(11);
  assert.equal(end, undefined);
  await look(1);
  assert.equal((end as { code?: string } | undefined)?.code, 'LANE_STUCK');
  assert.equal(state.reopened, 1);
});

test('a lane that takes jobs, has no room, or has none to take is not stuck', async () => {
  const { state, health, look } = createScene();
  const never = async (change: () => void) => {
    for (let i = 0; i < 30; i++) {
      change();
      await look();
      assert.equal(health.report().ready, true);
    }
  };
  state.waiting = 5;
  await never(() => void state.taken++);
  state.hasRoom = false;
  await never(() => {});
  state.hasRoom = true;
  state.taken++;
  state.waiting = 0;
  await never(() => {});
  assert.equal(state.reopened, 0);
});

test('a worker that is told to stop is not ready', async () => {
  const { health, look } = createScene();
  await look();
  health.end('it is told to stop');
  assert.deepEqual([health.report().ready, health.report().reasons], [false, ['it is told to stop']]);
});
