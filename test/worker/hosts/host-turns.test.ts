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

const image = { run: 'r', path: '/1.jpg' };
const isWait = (error: unknown) => error instanceof HostWait;

test('one request goes ahead, and the others follow when it was answered well', async () => {
  const { turns, reports } = turnsBy(granted);
  const first = await turns.enter(image);
  await assert.rejects(turns.enter(image), isWait);
  assert.equal(reports.length, 1, 'one request is under way: nothing is to be asked for');
  first.end('good');
  const others = await Promise.all([1, 2, 3, 4].map(() => turns.enter(image)));
  await assert.rejects(turns.enter(image), isWait, 'no more than were granted');
  for (const turn of others) turn.end('good');
  await turns.leave();
  assert.deepEqual(
    reports.at(-1),
    {
      ...{ inUse: 0, wanted: 0, startsBack: 0, runs: ['r'] },
      ...{ good: true, failures: 0, unreachable: false, failed: [], refused: false, askedMs: 0 },
    },
    'nothing is held any more',
  );
});

test('images that come together ask the record once', async () => {
  const { turns, reports } = turnsBy(granted);
  const first = await turns.enter(image);
  first.end('good');
  await Promise.all([1, 2, 3].map(() => turns.enter(image)));
  assert.equal(reports.length, 1);
});

test('a failure is told at once, and the record’s answer holds', async () => {
  const waiting: HostAnswer = { ...nothingGranted, waitMs: 3_000, state: 'failing', trying: true };
  const { turns, reports, states } = turnsBy(granted, waiting);
  const turn = await turns.enter(image);
  turn.end('failed');
  await assert.rejects(turns.enter(image), (error) => error instanceof HostWait && error.waitMs === 3_000);
  assert.equal(reports[1]?.failures, 3, 'who has not answered well yet has no credit');
  assert.equal(reports[1]?.failed[0]?.[0], 'r');
  assert.deepEqual(states, ['failing']);
});

test('an image that waits for its turn is woken when one is free', async () => {
  const { turns } = turnsBy(granted);
  const first = await turns.enter(image);
  const woken = turns.nearTurn('r', 60_000);
  first.end('good');
  assert.equal(await woken, true);
  assert.equal(await turns.nearTurn('r', 1), true, 'and none waits where one is free already');
});

test('nobody waits in place for a host that asks for long', async () => {
  const asked: HostAnswer = { ...nothingGranted, waitMs: 60_000, state: 'asked' };
  const { turns } = turnsBy(granted, asked);
  const first = await turns.enter(image);
  const woken = turns.nearTurn('r', 60_000);
  first.end({ refusedMs: 60_000 });
  assert.equal(await woken, true);
  await assert.rejects(turns.enter(image), (error) => error instanceof HostWait && error.waitMs === 60_000);
});

test('the request that tries is of the run whose turn it is', async () => {
  const trying: HostAnswer = { ...granted, slots: 1, state: 'failing', trying: true, turnOf: 'other' };
  const { turns, reports } = turnsBy(trying);
  await assert.rejects(turns.enter(image), isWait);
  const woken = turns.nearTurn('other', 60_000);
  assert.equal(await turns.nearTurn('r', 1), false, 'an image of another run is not woken for it');
  assert.equal(await woken, true);
  (await turns.enter({ run: 'other', path: '/2.jpg' })).end('good');
  await turns.leave();
  assert.deepEqual(reports.at(-1)?.runs, ['r', 'other'], 'the record knows of both');
});

test('a host that is down for one run makes the images of another wait', async () => {
  const down: HostAnswer = {
    ...nothingGranted,
    waitMs: 9_000,
    state: 'down',
    trying: true,
    condemned: ['r'],
  };
  const { turns } = turnsBy(down);
  await assert.rejects(turns.enter(image), { code: 'HOST_DOWN' });
  await assert.rejects(turns.enter({ run: 'other', path: '/2.jpg' }), isWait);
});

test('no image waits for a host that fails for longer than patience', async () => {
  const down: HostAnswer = {
    ...nothingGranted,
    waitMs: 9_000,
    state: 'down',
    trying: true,
    failingMs: 60_001,
  };
  const { turns } = turnsBy(down);
  await assert.rejects(turns.enter(image), { code: 'HOST_DOWN' });
});
