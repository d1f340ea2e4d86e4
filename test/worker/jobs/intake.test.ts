import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Run } from '../../../src/shared/runs/run.ts';
import { createIntake } from '../../../src/worker/jobs/intake.ts';
import { deliver, keepRows, model, refs, silent, tellLedger } from '../../support/heart.ts';

/** An intake that knows run r, of its own model, run other, of another, and run elsewhere, whose rows are in another store. */
function openIntake() {
  const store = keepRows();
  const ledger = tellLedger();
  const known: Record<string, string> = { r: model, other: 'n@1:fp32', elsewhere: model };
  const asked: string[] = [];
  const get = async (run: string) => {
    asked.push(run);
    const store = run === 'elsewhere' ? 'postgres:1' : 'redis';
    return known[run] ? ({ model: known[run], labelSet: 'l', store } as Run) : undefined;
  };
  const runs = { ...ledger, get };
  const intake = createIntake({ store, runs, model, newerGraceMs: 60_000, log: silent });
  const codes = () => [...store.rows.values()].map((row) => row.status === 'failed' && row.error.code).join();
  return { intake, known, asked, told: ledger.told, codes };
}

test('a job becomes the chunk it carries, with the label set of its run, which is read once', async () => {
  const { intake, asked } = openIntake();
  const taken = await intake.take(deliver(['a', 'b']).delivery);
  const chunk = {
    run: 'r',
    chunk: 0,
    generation: 0,
    images: refs('a', 'b'),
    labelSet: 'l',
    embeddings: undefined,
    relabels: undefined,
    bornAs: undefined,
  };
  assert.deepEqual(taken, { kind: 'taken', chunk });
  await intake.take(deliver(['c']).delivery);
  assert.deepEqual(asked, ['r']);
});

test('of a job that is no chunk, the images get failed rows, and it leaves the lane', async () => {
  const { intake, told, codes } = openIntake();
  const { delivery } = deliver(['a']);
  const data = { v: 1, images: ['a', 'b'], more: true };
  assert.deepEqual(await intake.take({ ...delivery, data }), { kind: 'done' });
  assert.equal(codes(), 'JOB_INVALID');
  assert.deepEqual(told, ['finish r 0 whole']);
});

test('a job that nothing can be saved of, and one of a run that nobody opened, are refused', async () => {
  const { intake, codes } = openIntake();
  const { delivery } = deliver(['a']);
  const nothing = await intake.take({ ...delivery, data: 'x' });
  assert.ok(nothing.kind === 'refused' && nothing.why.startsWith('JOB_INVALID: '));
  const stranger = await intake.take({ ...delivery, id: 'nobody.0.0' });
  assert.ok(stranger.kind === 'refused' && stranger.why.startsWith('RUN_UNKNOWN: '));
  const both = await intake.take({ ...delivery, id: 'nobody.0.0', data: { v: 1, images: ['a'] } });
  assert.ok(both.kind === 'refused' && both.why.startsWith('RUN_UNKNOWN: '));
  assert.equal(codes(), '');
});

test('a job that names a birth leaves the lane where its run is gone, which is said', async () => {
  const said: string[] = [];
  const log = { ...silent, warn: (_: object, text: string) => void said.push(text) } as typeof silent;
  const runs = { ...tellLedger(), get: async () => undefined };
  const intake = createIntake({ store: keepRows(), runs, model, newerGraceMs: 0, log });
  const { delivery } = deliver(['a'], { id: 'r.0.0.b1' });
  assert.deepEqual(await intake.take(delivery), { kind: 'gone' });
  assert.deepEqual(intake.refuseRemoved({ run: 'r', birth: 'b1' }), { kind: 'gone' });
  assert.match(said[0]!, /^job dropped: run 'r' was removed, has expired/);
});

test('a job of another model’s run fails its images', async () => {
  const { intake, told, codes } = openIntake();
  assert.deepEqual(await intake.take(deliver(['a'], { id: 'other.3.0' }).delivery), { kind: 'done' });
  assert.equal(codes(), 'RUN_MISMATCH');
  assert.deepEqual(told, ['finish other 3 whole']);
});

test('a job whose run keeps its rows in another store is left to other workers, which is said once', async () => {
  const { intake, told, codes } = openIntake();
  const { delivery } = deliver(['a'], { id: 'elsewhere.0.0' });
  assert.deepEqual(await intake.take(delivery), { kind: 'postponed', delayMs: 10_000 });
  assert.deepEqual(await intake.take({ ...delivery, data: { v: 1, images: ['a', 'b'], more: true } }), {
    kind: 'postponed',
    delayMs: 10_000,
  });
  assert.deepEqual([told.length, codes()], [1, '']);
  assert.match(told[0]!, /^warn elsewhere Workers without its results store/);
});

test('a newer job goes back to the lane while a newer worker may come, then its images fail', async () => {
  const { intake, codes } = openIntake();
  const { delivery } = deliver(['a'], { data: { v: 2, images: ['a', ''] } });
  assert.deepEqual(await intake.take(delivery), { kind: 'postponed', delayMs: 10_000 });
  assert.equal(codes(), '');
  const old = { ...delivery, addedAt: Date.now() - 61_000 };
  assert.deepEqual(await intake.take(old), { kind: 'done' });
  assert.equal(codes(), 'JOB_NEWER');
});

test('a run that was removed is forgotten: opened again under its name, it is read anew', async () => {
  const { intake, known } = openIntake();
  await intake.take(deliver(['a']).delivery);
  const removed = intake.refuseRemoved({ run: 'r' });
  assert.ok(removed.kind === 'refused' && removed.why.startsWith('RUN_UNKNOWN: '));
  delete known.r;
  assert.equal((await intake.take(deliver(['a']).delivery)).kind, 'refused');
});

test('a worker that cannot keep a run’s vectors leaves its jobs to others', async () => {
  const store = keepRows();
  const known = { model, labelSet: 'l', store: store.name, embeddings: 'root://v/kept' } as Run;
  const runs = { ...tellLedger(), get: async () => known };
  const about = { store, runs, model, newerGraceMs: 0, log: silent };
  const takes = (reachesVectors: boolean) =>
    createIntake({ ...about, reachesVectors: () => reachesVectors }).take(deliver(['a']).delivery);
  assert.equal((await takes(false)).kind, 'postponed');
  assert.equal((await takes(true)).kind, 'taken');
});
