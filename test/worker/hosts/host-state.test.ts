import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HostAnswer, nothingGranted } from '../../../src/worker/hosts/hostRecord.ts';
import {
  afterRequest,
  afterVisit,
  type HostState,
  isNews,
  mostAtOnce,
  type Outcome,
  unknownHost,
  withNews,
} from '../../../src/worker/hosts/hostState.ts';

const granted: HostAnswer = { ...nothingGranted, slots: 4, starts: Number.POSITIVE_INFINITY };
const waiting: HostAnswer = { ...nothingGranted, waitMs: 700, trying: true, state: 'failing' };
const trying: HostAnswer = { ...granted, slots: 1, trying: true, state: 'failing' };
const down: HostAnswer = { ...waiting, state: 'down' };

/** A host that was granted to a worker and has answered it well. */
const open = afterRequest(afterVisit(unknownHost, granted), 'good');

test('a host is probed by one request until it answers well, and open from then on', () => {
  assert.deepEqual([unknownHost.name, mostAtOnce(unknownHost)], ['probing', 1]);
  const visited = afterVisit(unknownHost, granted);
  assert.deepEqual([visited.name, mostAtOnce(visited)], ['probing', 1], 'also when more are granted');
  assert.deepEqual([open.name, mostAtOnce(open)], ['open', Number.POSITIVE_INFINITY]);
  assert.equal(isNews(visited, 'good'), false, 'which the record need not hear at once');
  assert.equal(afterVisit(open, granted).name, 'open');
});

test('nothing more is begun after a failure or a refusal before the record has answered', () => {
  for (const outcome of [
    'failed',
    'unreachable',
    { refusedMs: 0 },
    { refusedMs: 5_000 },
  ] satisfies Outcome[]) {
    const limited = afterRequest(open, outcome);
    assert.deepEqual([limited.name, mostAtOnce(limited), isNews(open, outcome)], ['limited', 0, true]);
    assert.equal(afterVisit(limited, granted).name, 'open', 'one bad image slows nothing');
    assert.equal(afterVisit(limited, waiting).name, 'limited');
  }
  const granting = withNews(afterVisit(open, granted));
  assert.equal(mostAtOnce(granting), 0, 'nor by what was granted before it knew');
});

test('what says nothing of the host changes nothing', () => {
  const states: HostState[] = [unknownHost, open, afterVisit(open, waiting), afterVisit(open, down)];
  for (const state of states) {
    assert.deepEqual(afterRequest(state, 'none'), state);
    assert.equal(isNews(state, 'none'), false);
  }
});

test('after its time one request tries, and a good answer is told at once', () => {
  const limited = afterVisit(open, waiting);
  assert.deepEqual([limited.name, mostAtOnce(limited)], ['limited', 0]);
  const probing = afterVisit(limited, trying);
  assert.deepEqual([probing.name, mostAtOnce(probing)], ['probing', 1]);
  assert.equal(isNews(probing, 'good'), true);
  const told = afterRequest(probing, 'good');
  assert.equal(told.name, 'limited', 'the record opens it for all workers');
  assert.equal(afterVisit(told, granted).name, 'open');
});

test('a host that is down is probed too, where the record lets this worker', () => {
  const closed = afterVisit(open, down);
  assert.deepEqual([closed.name, mostAtOnce(closed)], ['down', 0]);
  assert.equal(afterVisit(closed, { ...trying, state: 'down' }).name, 'probing');
  assert.equal(afterVisit(afterVisit(unknownHost, down), { ...granted }).name, 'probing');
});

test('a rate that is used up limits a host, and nothing else is told', () => {
  const rated = afterVisit(open, { ...granted, starts: 0, waitMs: 50 });
  assert.equal(rated.name, 'limited');
  assert.equal(afterVisit(rated, { ...granted, starts: 3 }).name, 'open');
});
