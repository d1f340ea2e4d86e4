import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HostAnswer, type HostReport, nothingGranted } from '../../../src/worker/hosts/hostRecord.ts';
import { createHostTurns } from '../../../src/worker/hosts/hostTurns.ts';
import { HostWait } from '../../../src/worker/hosts/hostWait.ts';

const granted: HostAnswer = { ...nothingGranted, slots: 4, starts: Number.POSITIVE_INFINITY };

/** Turns at a host whose record is asked here: each visit is answered by the next answer, the last one for ever. */
function turnsBy(...answers: HostAnswer[]) {
  const reports: HostReport[] = [];
  const states: string[] = [];
  const turns = createHostTurns({
    host: 'host.example',
    visitHost: async (_, report) => {
      reports.push(report);
      return (answers.length > 1 ? answers.shift() : answers[0])!;
    },
    patienceMs: 60_000,
    onState: (_, { state }) => states.push(state),
    onIdle: () => {},
  });
  return { turns, reports, states };
}

const isWait = (error: unknown) => error instanceof HostWait;

test('one request goes ahead, and the others follow when it was answered well', async () => {
  const { turns, reports } = turnsBy(granted);
  const first = await turns.enter();
  await assert.rejects(turns.enter(), isWait);
  assert.equal(reports.length, 1, 'one request is under way: nothing is to be asked for');
  first.end('good');
  const others = await Promise.all([1, 2, 3, 4].map(() => turns.enter()));
  await assert.rejects(turns.enter(), isWait, 'no more than were granted');
  for (const turn of others) turn.end('good');
  await turns.leave();
  assert.deepEqual(
    reports.at(-1),
    { inUse: 0, wanted: 0, startsBack: 0, good: true, failures: 0, refused: false, askedMs: 0 },
    'nothing is held any more',
  );
});

test('images that come together ask the record once', async () => {
  const { turns, reports } = turnsBy(granted);
  const first = await turns.enter();
  first.end('good');
  await Promise.all([1, 2, 3].map(() => turns.enter()));
  assert.equal(reports.length, 1);
});

test('a failure is told at once, and the record’s answer holds', async () => {
  const waiting: HostAnswer = { ...nothingGranted, waitMs: 3_000, state: 'failing', trying: true };
  const { turns, reports, states } = turnsBy(granted, waiting);
  const turn = await turns.enter();
  turn.end('failed');
  await assert.rejects(turns.enter(), (error) => error instanceof HostWait && error.waitMs === 3_000);
  assert.equal(reports[1]?.failures, 3, 'who has not answered well yet has no credit');
  assert.deepEqual(states, ['failing']);
});

test('an image that waits for its turn is woken when one is free', async () => {
  const { turns } = turnsBy(granted);
  const first = await turns.enter();
  const woken = turns.nearTurn(60_000);
  first.end('good');
  assert.equal(await woken, true);
  assert.equal(await turns.nearTurn(1), true, 'and none waits where one is free already');
});

test('nobody waits in place for a host that asks for long', async () => {
  const asked: HostAnswer = { ...nothingGranted, waitMs: 60_000, state: 'asked' };
  const { turns } = turnsBy(granted, asked);
  const first = await turns.enter();
  const woken = turns.nearTurn(60_000);
  first.end({ refusedMs: 60_000 });
  assert.equal(await woken, true);
  await assert.rejects(turns.enter(), (error) => error instanceof HostWait && error.waitMs === 60_000);
});
