// The account of a run under any order of events, faults among them: calls that are repeated or lost, workers that die in the middle or
// write late. Whatever happens, every image is in one place, and counts are those of the rows.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Job, Queue } from 'bullmq';
import fc from 'fast-check';
import { addChunkJobs } from '../../../src/shared/fleet/chunkJobs.ts';
import { openLaneQueue } from '../../../src/shared/fleet/laneQueue.ts';
import { defineLabelSet } from '../../../src/shared/labels/labelSet.ts';
import type { Row } from '../../../src/shared/rows/row.ts';
import { type Chunk, parseChunkJob, pieceOf } from '../../../src/shared/runs/chunkJob.ts';
import { addsUp } from '../../support/account.ts';
import { type Fleet, startFleet } from '../../support/fleet.ts';
import { model } from '../../support/heart.ts';

/** Lines of runs at the same time, because an audit waits a second; and runs of each. */
const [LINES, RUNS, EVENTS_MAX] = [4, 6, 40];

const laneOfTest = '{account}';
const labelSet = defineLabelSet({ labels: ['fox', 'owl'] });

const images = fc.integer({ min: 1, max: 4 });
const fails = fc.array(fc.boolean(), { minLength: 4, maxLength: 4 });
const kindsOf = <K extends string>(...kinds: K[]) => fc.record({ kind: fc.constantFrom(...kinds) });

/** `of` chooses a chunk among those there are; `until` is after what the worker dies, `twice` that its job comes once more. */
const anEvent = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('add' as const), images, isRepeated: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('announce' as const), images }) },
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('work' as const),
      of: fc.nat(),
      fails,
      until: fc.constantFrom('begun', 'half', 'stored', 'finished', 'twice', 'released', 'done', 'done'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('late' as const), of: fc.nat(), fails }) },
  { weight: 4, arbitrary: kindsOf('seal', 'open', 'pause', 'resume') },
  { weight: 1, arbitrary: kindsOf('retry', 'audit', 'cancel') },
);
type Event = typeof anEvent extends fc.Arbitrary<infer E> ? E : never;

/** One run, and what may happen to it. */
function createScene({ producer }: Fleet, lane: Queue, run: string) {
  const { runs, store, control } = producer;
  const seen: Chunk[] = [];
  let images = 0;
  let workers = 0;

  const jobs = async () =>
    (await lane.getJobs(['waiting', 'prioritized'])).filter((job: Job) => job.id?.startsWith(`${run}.`));
  const rowOf = ({ chunk, generation, images }: Chunk, index: number, fails: boolean): Row => {
    const base = { ...images[index]!, generation, place: { chunk, index }, at: 1 };
    return fails
      ? { ...base, status: 'failed', error: { code: 'FETCH_FAILED', message: 'x' } }
      : { ...base, status: 'classified', predictions: [], fingerprint: 'f' };
  };

  async function add(count: number, isAnnouncedOnly: boolean, isRepeated: boolean): Promise<void> {
    const chunk = await runs.reserveChunks(run, 1);
    const refs = Array.from({ length: count }, () => ({ id: `i${images}`, uri: `i${images++}` }));
    const pieces = [{ piece: String(chunk), generation: 0, images: refs }];
    for (let times = isRepeated ? 2 : 1; times > 0; times--) {
      await runs.announce(run, chunk, count);
      if (!isAnnouncedOnly) await addChunkJobs(lane, run, pieces, 1);
    }
  }

  async function work(job: Job, fails: readonly boolean[], until: string): Promise<void> {
    const chunk = parseChunkJob(job);
    const piece = pieceOf(chunk);
    seen.push(chunk);
    const by = { worker: `w${workers++}`, alone: false };
    const held = await runs.begin(run, piece, chunk.images.length, by);
    // By a worker that is dead: each lives as long as this call.
    const begun =
      held.kind === 'held'
        ? await runs.begin(run, piece, chunk.images.length, { ...by, from: held.worker })
        : held;
    if (begun.kind === 'cancelled') return void (await job.remove());
    if (begun.kind === 'paused' || until === 'begun') return;
    if (until === 'released') return runs.release(run, piece, by.worker);
    const found = await store.find(
      run,
      chunk.images.map(({ id }) => id),
    );
    const left = chunk.images.flatMap(({ id }, i) =>
      (found.get(id)?.generation ?? -1) < chunk.generation ? rowOf(chunk, i, fails[i]!) : [],
    );
    await store.putRows(run, until === 'half' ? left.slice(0, left.length / 2) : left);
    if (until === 'half' || until === 'stored') return;
    await runs.finish(run, piece, true);
    if (until === 'finished') return;
    if (until === 'twice')
      await work(
        job,
        fails.map((is) => !is),
        'done',
      );
    else await job.remove();
  }

  async function happen(event: Event): Promise<void> {
    if (event.kind === 'add') return add(event.images, false, event.isRepeated);
    if (event.kind === 'announce') return add(event.images, true, false);
    if (event.kind === 'seal') return runs.seal(run);
    if (event.kind === 'open') return void (await runs.open((await runs.get(run))!));
    if (event.kind === 'pause') return control.pause(run, 'why not');
    if (event.kind === 'work') {
      const waiting = await jobs();
      if (waiting.length > 0) await work(waiting[event.of % waiting.length]!, event.fails, event.until);
      return;
    }
    if (event.kind === 'late') {
      const chunk = seen[event.of % Math.max(1, seen.length)];
      if (!chunk) return;
      await store.putRows(
        run,
        chunk.images.map((_, i) => rowOf(chunk, i, event.fails[i]!)),
      );
      return;
    }
    await producer[event.kind](run);
  }

  /** Every image in one place, and counts as the rows are. Resolves to the rows. */
  async function check(): Promise<Row[]> {
    const progress = addsUp(await producer.progress(run));
    const rows: Row[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.getRows(run, cursor);
      rows.push(...page.rows);
      cursor = page.cursor;
    } while (cursor !== undefined);
    const classified = rows.filter(({ status }) => status === 'classified').length;
    assert.deepEqual([progress.classified, progress.failed], [classified, rows.length - classified]);
    assert.equal(new Set(rows.map(({ id }) => id)).size, rows.length);
    if (progress.complete) assert.deepEqual([progress.waiting, progress.active], [0, 0]);
    return rows;
  }

  /** What is left is put right and done: then all images that are in the run have a row, or it was cancelled. */
  async function end(): Promise<void> {
    await control.resume(run);
    await producer.audit(run);
    for (const job of await jobs()) await work(job, [], 'done');
    await runs.seal(run);
    const rows = await check();
    const { ended, expected, waiting, active, skipped, state } = await producer.progress(run);
    assert.deepEqual([ended, waiting, active], [true, 0, 0], JSON.stringify({ state, expected }));
    assert.equal(expected - skipped, rows.length);
    const { recounted, withdrawn } = await producer.audit(run);
    assert.deepEqual([recounted, withdrawn], [false, []]);
    await producer.remove(run);
  }

  return { happen, check, end };
}

/** What a call is refused with where it comes too late: after a seal, or a cancelling. */
const refusals: readonly unknown[] = ['RUN_SEALED', 'RUN_CANCELLED'];

test('the account of a run adds up, whatever happens in whatever order', { timeout: 120_000 }, async (t) => {
  const fleet = await startFleet(t);
  const lane = openLaneQueue(laneOfTest, { redis: fleet.redis, prefix: 'clipfleet', onError: () => {} });
  t.after(() => lane.close());
  const seed = Number(process.env.CLIPFLEET_TEST_SEED ?? Date.now() % 2 ** 31);
  t.diagnostic(`CLIPFLEET_TEST_SEED=${seed}`);
  let scenes = 0;
  const property = fc.asyncProperty(
    fc.array(anEvent, { minLength: 5, maxLength: EVENTS_MAX }),
    async (events) => {
      const run = `r${scenes++}`;
      const open = await fleet.producer.openRun({ model, labelSet, run, privateLane: laneOfTest });
      await open.close();
      const scene = createScene(fleet, lane, run);
      for (const event of events) {
        await scene.happen(event).catch((error) => {
          if (!refusals.includes(error.code)) throw error;
        });
        await scene.check();
      }
      await scene.end();
    },
  );
  const lines = Array.from({ length: LINES }, (_, line) =>
    fc.assert(property, { seed: seed + line, numRuns: RUNS, endOnFailure: true }),
  );
  await Promise.all(lines);
});
