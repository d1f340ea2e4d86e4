import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBackOff } from '../../../src/shared/backOff.ts';
import { ClipfleetError } from '../../../src/shared/errors.ts';
import { withstandFaults } from '../../../src/worker/jobs/withstand.ts';
import { isOfSurroundings, isPassingState, whatFailed } from '../../../src/worker/verdicts/surroundings.ts';
import { deliver, silent } from '../../support/heart.ts';
import { keepLog } from '../../support/laneInProcess.ts';

/** What Redis answered, as the client throws it. */
function reply(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' });
}

const passing = [
  "OOM command not allowed when used memory > 'maxmemory'. script: 1f, on @user_script:9.",
  'ERR Error running script (call to f_1f): @user_script:9: -OOM command not allowed when used memory',
  "READONLY You can't write against a read only replica.",
  'MISCONF Redis is configured to save RDB snapshots, but it is unable to persist to disk.',
  'LOADING Redis is loading the dataset in memory',
  'BUSY Redis is busy running a script.',
  "NOPERM User x has no permissions to run the 'evalsha' command",
  'MOVED 3999 127.0.0.1:6381',
  'CLUSTERDOWN The cluster is down',
  'NOREPLICAS Not enough good replicas to write.',
];

test('states of a server that pass are known, also from inside a script', () => {
  for (const message of passing) {
    assert.ok(isPassingState(reply(message)), message);
    assert.ok(isOfSurroundings(reply(message)), message);
  }
  for (const message of ['Connection is closed.', 'Command timed out', 'connect ECONNREFUSED 127.0.0.1:1'])
    assert.ok(isPassingState(new Error(message)), message);
});

test('a wrong command, a key of a wrong type and a program’s own error are none of it', () => {
  const wrong = [
    reply('WRONGTYPE Operation against a key holding the wrong kind of value'),
    reply("ERR unknown command 'EVALSHA'"),
    reply('ERR value is not an integer or out of range script: 1f, on @user_script:9.'),
    new TypeError('x is not a function'),
    new ClipfleetError('JOB_INVALID', 'It is none.'),
    'a text',
  ];
  for (const error of wrong) assert.ok(!isOfSurroundings(error), String(error));
  assert.ok(!isPassingState(new Error('job stalled more than allowable limit')));
});

test('whatever another store may throw, and a lost session, are the surroundings’', () => {
  assert.ok(isOfSurroundings(new Error('remaining connection slots are reserved')));
  assert.ok(isOfSurroundings(new ClipfleetError('SESSION_LOST', 'It ended.')));
});

/** A back-off whose clock stands still unless it is set, and whose pauses are written down instead of waited for. */
function openBackOff() {
  const { log, lines } = keepLog();
  const pauses: number[] = [];
  const clock = { now: 0 };
  const backOff = createBackOff({
    whatFailed,
    log,
    signal: new AbortController().signal,
    wait: async (ms) => void pauses.push(ms),
    now: () => clock.now,
  });
  return { backOff, lines, pauses, clock };
}

test('pauses grow with each fault in a row up to five seconds, by chance up to half shorter, and start anew', async () => {
  const { backOff, pauses } = openBackOff();
  for (let i = 0; i < 8; i++) await backOff.fault(new Error('away'));
  const wholes = [250, 500, 1_000, 2_000, 4_000, 5_000, 5_000, 5_000];
  pauses.forEach((pause, i) => {
    assert.ok(pause > wholes[i]! / 2 - 1 && pause <= wholes[i]!, `${pauses}`);
  });
  assert.notDeepEqual(pauses.slice(5), [5_000, 5_000, 5_000]);
  backOff.recovered();
  await backOff.fault(new Error('away'));
  assert.ok(pauses.at(-1)! <= 250);
});

test('it is said once, then once a minute with a count, and when it is over', async () => {
  const { backOff, lines, clock } = openBackOff();
  backOff.recovered();
  for (let i = 0; i < 100; i++) await backOff.fault(new Error('away'));
  clock.now = 60_000;
  await backOff.fault(new Error('away'));
  backOff.recovered();
  backOff.recovered();
  assert.deepEqual(
    lines.map(({ level, about: { faults } }) => [level, faults]),
    [
      ['warn', 1],
      ['warn', 100],
      ['info', 101],
    ],
  );
});

test('it says what failed, each by itself, and of what it is over', async () => {
  const { backOff, lines } = openBackOff();
  const faults = [
    reply(passing[0]!),
    new Error('connect ECONNREFUSED 127.0.0.1:1'),
    new ClipfleetError('SESSION_LOST', 'It ended.'),
    new Error('remaining connection slots are reserved'),
  ];
  for (const error of [...faults, ...faults]) await backOff.fault(error);
  backOff.recovered();
  assert.deepEqual(
    lines.map(({ text }) => text),
    [
      'backing off: Redis failed',
      'backing off: the session failed',
      'backing off: the results store failed',
      'no longer backing off from failures of Redis and the session and the results store',
    ],
  );
});

test('a pause ends when the worker closes', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const closing = new AbortController();
  const { fault } = createBackOff({ log: silent, whatFailed, signal: closing.signal });
  const pause = fault(new Error('away'));
  closing.abort();
  await pause;
  await fault(new Error('away'));
});

test('a fault of the surroundings postpones the job after a pause; another error spends an attempt', async () => {
  const { backOff, pauses } = openBackOff();
  const verdictOn = (error: unknown) =>
    withstandFaults(
      async () => {
        throw error;
      },
      backOff,
      silent,
    )(deliver(['a']).delivery);
  const postponed = await verdictOn(reply(passing[0]!));
  assert.ok(postponed.kind === 'postponed' && postponed.delayMs < 1_000);
  assert.equal(pauses.length, 1);
  assert.deepEqual(await verdictOn(new TypeError('a bug')), { kind: 'again', why: 'a bug' });
  assert.equal(pauses.length, 1);
});
