// What becomes of a job is said to BullMQ by the lane: here each verdict, and what a real queue makes of it.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Job, Queue } from 'bullmq';
import { encodeChunkJob } from '../../../src/shared/runs/chunkJob.ts';
import type { Delivery } from '../../../src/worker/jobs/delivery.ts';
import { openLane } from '../../../src/worker/jobs/lane.ts';
import type { JobVerdict } from '../../../src/worker/verdicts/jobVerdict.ts';
import { startFleet } from '../../support/fleet.ts';
import { refs, silent } from '../../support/heart.ts';
import { until } from '../../support/support.ts';

const prefix = 'clipfleet';
const name = '{lane}';
const data = encodeChunkJob(refs('a', 'b'));

/** A lane with job r.0.0, and a worker that gives the verdicts one after the other and then closes. */
async function openScene(t: TestContext) {
  const fleet = await startFleet(t);
  const queue = new Queue(name, { connection: fleet.redis, prefix });
  t.after(() => queue.close());
  await queue.add('chunk', data, { jobId: 'r.0.0', attempts: 2, backoff: { type: 'custom' } });
  const { store, runs } = fleet.producer;

  async function deliver(...verdicts: ((delivery: Delivery) => JobVerdict | Promise<JobVerdict>)[]) {
    const deliveries: Delivery[] = [];
    let closed: Promise<void> | undefined;
    const lane = openLane(
      { name, urgent: true },
      {
        ...{ redis: fleet.redis, prefix, store, runs, log: silent, holder: 'w' },
        async consume(delivery) {
          deliveries.push(delivery);
          const verdict = await verdicts.shift()!(delivery);
          // Before BullMQ hears the last verdict: a job that may go on at once would be taken again.
          if (verdicts.length === 0) closed = lane.close();
          return verdict;
        },
        share: { want: async () => {}, isWanted: async () => false },
        imagesInFlight: 4,
        waiting: () => 0,
      },
      { lockMs: 30_000 },
    );
    await until(() => closed !== undefined, 'all verdicts are given');
    await closed;
    return deliveries;
  }

  async function jobNow(): Promise<{ job: Job | undefined; state: string | undefined }> {
    const job = await queue.getJob('r.0.0');
    return { job, state: job && (await job.getState()) };
  }

  return { fleet, deliver, jobNow };
}

test('a delivery is the job as plain data, and can add jobs to the lane it came from', async (t) => {
  const { deliver, jobNow } = await openScene(t);
  const part = { piece: '0/1', generation: 0, images: refs('b'), indexes: [1] };
  const [whole, added] = await deliver(
    async ({ addJobs }) => {
      await addJobs('r', [part], 5);
      return { kind: 'done' };
    },
    () => ({ kind: 'done' }),
  );
  const { addJobs: _, addedAt, ...delivery } = whole!;
  assert.deepEqual(delivery, {
    ...{ id: 'r.0.0', data, lane: name, urgent: true },
    ...{ attempts: 2, isFirst: true, isLastAttempt: false, refusedSince: 0 },
  });
  assert.ok(addedAt > 0 && addedAt <= Date.now());
  assert.deepEqual([added?.id, added?.data, added?.attempts], ['r.0/1.0', encodeChunkJob(refs('b'), [1]), 5]);
  assert.equal((await jobNow()).job, undefined, 'a job that is done is gone');
});

test('a job of a cancelled run leaves the lane', async (t) => {
  const { deliver, jobNow } = await openScene(t);
  await deliver(() => ({ kind: 'cancelled' }));
  assert.equal((await jobNow()).job, undefined);
});

test('another attempt is spent and waited for; the last one is known as such', async (t) => {
  const { deliver, jobNow } = await openScene(t);
  await deliver(() => ({ kind: 'again', why: '1 of 2 images to try again', refusedSince: 0 }));
  const { job, state } = await jobNow();
  assert.deepEqual(
    [state, job?.attemptsMade, job?.failedReason],
    ['delayed', 1, '1 of 2 images to try again'],
  );
  await job!.promote();
  const [second] = await deliver(() => ({ kind: 'done' }));
  assert.equal(second?.isLastAttempt, true);
});

test('a job that is postponed spends no attempt, and remembers since when it is refused', async (t) => {
  const { deliver, jobNow } = await openScene(t);
  await deliver(() => ({ kind: 'postponed', delayMs: 60_000, refusedSince: 1_234 }));
  const { job, state } = await jobNow();
  assert.deepEqual([state, job?.attemptsMade], ['delayed', 0]);
  assert.ok(job!.delay > 50_000, `${job!.delay} ms`);
  await job!.promote();
  const [second] = await deliver(() => ({ kind: 'postponed', delayMs: 60_000, refusedSince: 0 }));
  assert.deepEqual([second?.refusedSince, second?.isLastAttempt], [1_234, false]);
  assert.equal((await jobNow()).job?.progress, 0);
});

test('a parked job waits while its run is paused, and not if that is over already', async (t) => {
  const { fleet, deliver, jobNow } = await openScene(t);
  const { runs, control } = fleet.producer;
  await runs.open({ run: 'r', model: 'm', labelSet: 'l', lane: name });
  await control.pause('r', 'by hand');
  await deliver(() => ({ kind: 'parked', run: 'r' }));
  const { job, state } = await jobNow();
  assert.deepEqual([state, job?.attemptsMade], ['delayed', 0]);
  await job!.promote();
  await deliver(async () => {
    await control.resume('r');
    return { kind: 'parked', run: 'r' };
  });
  assert.equal((await jobNow()).state, 'waiting');
});

test('a job that is refused stays in the failed set, for people to look at', async (t) => {
  const { deliver, jobNow } = await openScene(t);
  await deliver(() => ({ kind: 'refused', why: 'RUN_UNKNOWN: nobody opened it' }));
  const { job, state } = await jobNow();
  assert.deepEqual([state, job?.failedReason], ['failed', 'RUN_UNKNOWN: nobody opened it']);
});
