import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { destination } from 'pino';
import { createLog } from '../../../src/shared/log/log.ts';
import { createRepeatedEvents, type EventNews } from '../../../src/shared/log/repeatedEvents.ts';
import { jsonLines } from '../../support/fleet.ts';
import { until } from '../../support/support.ts';

test('an event is told once, then with its number at each look, then that it is over', () => {
  let at = 0;
  const events = createRepeatedEvents({ everyMs: 60_000, now: () => at });
  const told: [string, EventNews][] = [];
  const note = (event: string) => events.note(event, (news) => told.push([event, news]));
  const look = () => {
    at += 60_000;
    events.look();
  };
  for (let i = 0; i < 5; i++) note('lost');
  note('once');
  assert.deepEqual(told.splice(0), [
    ['lost', { kind: 'first' }],
    ['once', { kind: 'first' }],
  ]);
  at += 1_000;
  note('lost');
  look();
  look();
  assert.deepEqual(told.splice(0), [
    ['lost', { kind: 'again', times: 5 }],
    ['lost', { kind: 'over', times: 6, seconds: 1 }],
  ]);
  note('lost');
  assert.deepEqual(told.splice(0), [['lost', { kind: 'first' }]], 'and it may begin anew');
  look();
  look();
  assert.deepEqual(told, []);
});

test('of a warning that repeats, the log has a line with the number and one that it is over; what differs is kept apart', async (t) => {
  const path = join(mkdtempSync(join(tmpdir(), 'clipfleet-test-')), 'log');
  const stream = destination({ dest: path, sync: true });
  t.after(() => stream.end());
  const log = createLog('info', stream, 100);
  for (let i = 0; i < 1_000; i++) log.error({ err: new Error(`ECONNREFUSED 127.0.0.1:${i}`) }, 'lane error');
  for (const host of ['a', 'b']) log.warn({ host }, 'host is down');
  for (let i = 0; i < 3; i++) log.info({ i }, 'worker');
  const lines = () =>
    jsonLines<{ msg: string; times?: number; over?: boolean }>(readFileSync(path, 'utf8')).map(
      ({ msg, times, over }) => [msg, times, over],
    );
  const said = [
    ['lane error', undefined, undefined],
    ['host is down', undefined, undefined],
    ['host is down', undefined, undefined],
    ['worker', undefined, undefined],
    ['worker', undefined, undefined],
    ['worker', undefined, undefined],
  ];
  const end = [
    ['lane error', 999, undefined],
    ['over: lane error', 1_000, true],
  ];
  await until(() => lines().length >= said.length + end.length, 'it is over');
  assert.deepEqual(lines(), [...said, ...end]);
});
