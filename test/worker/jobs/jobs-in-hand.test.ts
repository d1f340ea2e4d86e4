// The jobs alone: what Redis and BullMQ do with them are functions handed in.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Job } from 'bullmq';
import { namedRun, type RunName } from '../../../src/shared/birth.ts';
import { createJobsInHand } from '../../../src/worker/jobs/jobsInHand.ts';

const moved = new Error('moved');
const never = new Promise<never>(() => {});

function createScene(takeBack: (id: string) => Promise<number> = async () => 1) {
  const said: string[] = [];
  const release = async (run: RunName, piece: string, worker?: string) => {
    assert.equal(worker, 'w');
    said.push(`released ${namedRun(run).run} ${piece}`);
  };
  const inHand = createJobsInHand({ release }, 'w', () => moved);
  const jobOf = (id: string) => {
    const moveToDelayed = (_: number, token?: string) => {
      said.push(`${id} back with ${token}`);
      return takeBack(id);
    };
    return { id, data: { v: 1, images: ['a', ''] }, moveToDelayed } as unknown as Job;
  };
  return { said, inHand, jobOf };
}

test('work that ends is a job that ends, as it ended', async () => {
  const { said, inHand, jobOf } = createScene();
  await inHand.hold(jobOf('r.0.0'), 't', async () => {});
  const failure = new Error('to try again');
  await assert.rejects(
    inHand.hold(jobOf('r.1.0'), 't', () => Promise.reject(failure)),
    failure,
  );
  assert.deepEqual([said, inHand.size], [[], 0]);
});

test('what is in hand goes back to the lane, let go of in the ledger, and its work is no longer waited for', async () => {
  const { said, inHand, jobOf } = createScene();
  const held = ['r.0.0', 'r.1/2.0'].map((id) => inHand.hold(jobOf(id), 't', () => never));
  assert.equal(inHand.size, 2);
  const ends = Promise.allSettled(held);
  assert.deepEqual(await inHand.giveBack(10_000), { givenBack: 2, left: 0 });
  assert.deepEqual(await ends, [
    { status: 'rejected', reason: moved },
    { status: 'rejected', reason: moved },
  ]);
  assert.deepEqual(said.sort(), [
    'r.0.0 back with t',
    'r.1/2.0 back with t',
    'released r 0',
    'released r 1/2',
  ]);
  assert.equal(inHand.size, 0);
});

test('what Redis does not take back in time, or refuses, is counted as left', async () => {
  const { inHand, jobOf } = createScene((id) =>
    id === 'r.0.0' ? never : Promise.reject(new Error('no lock')),
  );
  for (const id of ['r.0.0', 'r.1.0']) void inHand.hold(jobOf(id), 't', () => never).catch(() => {});
  assert.deepEqual(await inHand.giveBack(20), { givenBack: 0, left: 2 });
});
