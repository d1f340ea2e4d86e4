import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClipfleetError } from '../../../src/shared/errors.ts';
import { defineLabelSet } from '../../../src/shared/labels/labelSet.ts';
import { createPrepareLabels } from '../../../src/worker/jobs/prepareLabels.ts';
import type { PreparedLabels } from '../../../src/worker/labels/labelMatrices.ts';
import { deliver, refs, silent } from '../../support/heart.ts';
import { matrix } from '../../support/threeLabels.ts';

const labelSet = defineLabelSet({ labels: ['fox', 'bear', 'owl'] });
const labels: PreparedLabels = { labelSet, matrix, truncated: [] };
const chunk = { run: 'r', chunk: 0, generation: 0, images: refs('a'), labelSet: 'l' };
const { delivery } = deliver(['a']);

function prepareFrom(get: () => Promise<PreparedLabels>) {
  const warnings: string[] = [];
  const paused: string[] = [];
  const prepare = createPrepareLabels({
    labelMatrices: { get },
    runs: { warn: async (run, warning) => void warnings.push(`${run}: ${warning}`) },
    control: { pause: async (run, why) => void paused.push(`${run}: ${why}`) },
    newerGraceMs: 60_000,
    log: silent,
  });
  return { prepare, warnings, paused };
}

function failing(error: Error) {
  return prepareFrom(async () => {
    throw error;
  });
}

test('labels that were cut are named in one warning a run', async () => {
  const truncated = Array.from({ length: 12 }, (_, i) => `label ${i}`);
  const { prepare, warnings } = prepareFrom(async () => ({ ...labels, truncated }));
  assert.equal((await prepare(delivery, chunk)).kind, 'ready');
  await prepare(delivery, { ...chunk, chunk: 1 });
  await prepare(delivery, { ...chunk, run: 's' });
  assert.equal(warnings.length, 2);
  assert.match(warnings[0]!, /^r: LABEL_TRUNCATED: .*'label 0', .*'label 9' and 2 more$/);
  assert.match(warnings[1]!, /^s: /);
});

test('a label set that is wrong is an error for the images; a newer one is waited for', async () => {
  const unknown = await failing(new ClipfleetError('LABEL_SET_UNKNOWN', 'none')).prepare(delivery, chunk);
  assert.ok(unknown.kind === 'unusable' && unknown.error.code === 'LABEL_SET_UNKNOWN');
  const { prepare } = failing(new ClipfleetError('JOB_NEWER', 'newer'));
  assert.deepEqual(await prepare(delivery, chunk), { kind: 'postponed', delayMs: 10_000 });
  const old = { ...delivery, addedAt: Date.now() - 61_000 };
  assert.equal((await prepare(old, chunk)).kind, 'unusable');
});

test('prompts that the model cannot encode pause the run with the reason', async () => {
  for (const code of ['LABEL_NOT_EMBEDDED', 'INFERENCE_FAILED', 'MODEL_UNSUPPORTED'] as const) {
    const { prepare, paused } = failing(new ClipfleetError(code, 'as it is'));
    assert.deepEqual(await prepare(delivery, chunk), { kind: 'parked', run: 'r' });
    assert.deepEqual(paused, [`r: ${code}: as it is`]);
  }
});

test('what is not the label set’s doing is thrown on', async () => {
  for (const error of [new Error('Redis is away'), new ClipfleetError('SESSION_LOST', 'It ended.')])
    await assert.rejects(failing(error).prepare(delivery, chunk), error);
});

/** A preparation that ends when the test says so, and how often it was begun. */
function slowly() {
  const ends: { ready(): void; fail(error: Error): void }[] = [];
  const scene = prepareFrom(
    () =>
      new Promise((resolve, reject) => {
        ends.push({ ready: () => resolve(labels), fail: reject });
      }),
  );
  return { ...scene, ends };
}

test('jobs wait a quarter of a second in place for labels, all together, then they are postponed', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { prepare, ends } = slowly();
  const first = prepare(delivery, chunk);
  t.mock.timers.tick(249);
  const isDone = await Promise.race([first.then(() => true), Promise.resolve(false)]);
  assert.equal(isDone, false);
  t.mock.timers.tick(1);
  const postponed = await first;
  assert.ok(postponed.kind === 'postponed' && postponed.delayMs >= 1_000);
  assert.equal(ends.length, 1);

  ends[0]!.ready();
  await new Promise((resolve) => setImmediate(resolve));
  const second = await prepare(delivery, chunk);
  assert.ok(second.kind === 'ready' && second.labels === labels);
  assert.equal(ends.length, 1, 'the next job has what the first one began');
});

test('a preparation that fails while no job waits is not begun anew for the next one', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { prepare, ends, paused } = slowly();
  const first = prepare(delivery, chunk);
  t.mock.timers.tick(250);
  assert.equal((await first).kind, 'postponed');
  ends[0]!.fail(new ClipfleetError('LABEL_NOT_EMBEDDED', 'of the last prompt'));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await prepare(delivery, chunk)).kind, 'parked');
  assert.equal(paused.length, 1);
  assert.equal(ends.length, 1);
  // After that, whoever resumes the run tries again.
  void prepare(delivery, chunk);
  assert.equal(ends.length, 2);
});
