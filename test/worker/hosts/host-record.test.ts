import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../../../src/shared/log/log.ts';
import { keysUnder } from '../../../src/shared/redis/keys.ts';
import { createHostGate } from '../../../src/worker/hosts/hostGate.ts';
import {
  createHostRecord,
  type HostAnswer,
  type HostLimits,
  type HostReport,
} from '../../../src/worker/hosts/hostRecord.ts';
import { type Fleet, startFleet } from '../../support/fleet.ts';
import { resolvedNames } from '../../support/resolvedNames.ts';
import { until } from '../../support/support.ts';

const quiet = {
  startsBack: 0,
  good: false,
  failures: 0,
  refused: false,
  askedMs: 0,
  unreachable: false,
  failed: [],
  runs: [],
};
const noConnection = { unreachable: true };
const wants = (wanted: number, inUse = 0): HostReport => ({ ...quiet, wanted, inUse });

/** Workers of the fleet by their visits to one host. */
function workers(fleet: Fleet, count: number, limits: Partial<HostLimits>) {
  const all = { concurrency: 6, rate: undefined, downMs: 60_000, ...limits };
  return Array.from({ length: count }, () => {
    const visit = createHostRecord(fleet.redis, keysUnder('clipfleet'), all);
    return (report: HostReport) => visit('host.example', report);
  }) as [ReturnVisit, ReturnVisit, ReturnVisit];
}
type ReturnVisit = (report: HostReport) => ReturnType<ReturnType<typeof createHostRecord>>;

test('slots are shared evenly, and what one cannot use is the others’', async (t) => {
  const fleet = await startFleet(t);
  const [a, b, c] = workers(fleet, 3, {});
  assert.equal((await a(wants(10))).slots, 6);
  assert.equal((await b(wants(10))).slots, 0, 'none is taken away from who uses it');
  assert.equal((await a(wants(10, 6))).slots, 3, 'but it is not begun anew');
  assert.equal((await b(wants(10))).slots, 0, 'while the requests are under way');
  assert.equal((await a(wants(10, 3))).slots, 3);
  assert.equal((await b(wants(10))).slots, 3);
  assert.equal((await b(wants(1, 1))).slots, 1);
  assert.equal((await c(wants(10))).slots, 2);
  assert.equal((await a(wants(10, 3))).slots, 3);
});

test('where there are fewer slots than workers, who had one passes it on', async (t) => {
  const [a, b] = workers(await startFleet(t), 2, { concurrency: 1 });
  assert.equal((await a(wants(10))).slots, 1);
  assert.equal((await b(wants(10))).slots, 0);
  assert.equal((await a(wants(10))).slots, 0);
  assert.equal((await b(wants(10))).slots, 1);
});

test('what a worker held that is gone is free again', async (t) => {
  const [a, b] = workers(await startFleet(t), 2, { leaseMs: 200 });
  assert.equal((await a(wants(6))).slots, 6);
  await until(async () => (await b(wants(6))).slots === 6, 'its lease has run out');
});

test('failures in a row keep everybody away, then one request tries, and a good answer opens the host', async (t) => {
  const [a, b] = workers(await startFleet(t), 2, { downMs: 1 });
  assert.equal(
    (await a({ ...wants(4), ...noConnection, failures: 2 })).state,
    'open',
    'a bad image or two slow nothing',
  );
  const away = await a({ ...wants(4), ...noConnection, failures: 1 });
  assert.ok(away.slots === 0 && away.waitMs >= 499 && away.waitMs <= 1_000, `${away.waitMs} ms`);
  assert.equal((await b({ ...wants(4), ...noConnection, failures: 16 })).trying, true);
  let trying = away;
  await until(async () => {
    trying = await b(wants(4));
    return trying.slots > 0;
  }, 'the pause is over');
  assert.deepEqual([trying.slots, trying.state], [1, 'down']);
  assert.equal((await a(wants(4))).slots, 0, 'one tries, not one of each worker');
  const again = await b({ ...wants(4), ...noConnection, failures: 1 });
  const isNextStep = again.waitMs >= 999 && again.waitMs <= 2_000;
  assert.ok(
    isNextStep,
    `16 failures of one pause are one step, and the next is twice as long: ${again.waitMs} ms`,
  );
  const opened = await b({ ...wants(4), good: true });
  assert.deepEqual(
    [opened.slots, opened.state, opened.trying],
    [3, 'open', false],
    'half: two want four of six',
  );
});

test('a host is kept alone as long as it asked, however it answers others meanwhile', async (t) => {
  const [a, b] = workers(await startFleet(t), 2, {});
  const asked = await a({ ...wants(4), refused: true, askedMs: 60_000 });
  assert.deepEqual([asked.slots, asked.waitMs, asked.state], [0, 60_000, 'asked']);
  const later = await b({ ...wants(4), refused: true, askedMs: 1_000 });
  assert.ok(later.waitMs > 50_000, 'the longer time holds');
  let refusingMs = 0;
  await until(async () => {
    ({ refusingMs } = await b(wants(4)));
    return refusingMs > 0;
  }, 'patience counts');
  const good = await a({ ...wants(4), good: true });
  assert.deepEqual([good.slots, good.refusingMs], [0, 0]);
  assert.ok(good.waitMs > 50_000);
});

/** Failures of a run at these paths, and the runs whose images are here. */
const failedAt = (paths: string[], run: string, ...runs: string[]): HostReport => ({
  ...wants(4),
  failures: paths.length,
  failed: paths.map((path) => [run, path] as const),
  runs: [run, ...runs],
});

/** Until the pause is over and the visit is granted a slot. */
async function granted(visit: ReturnVisit, report: HostReport): Promise<HostAnswer> {
  let answer: HostAnswer | undefined;
  await until(async () => {
    answer = await visit(report);
    return answer.slots > 0;
  }, 'one may try');
  return answer!;
}

test('a host is down for a run that failed at three paths, and for no other', async (t) => {
  const [a, b] = workers(await startFleet(t), 2, { downMs: 1 });
  await a(failedAt(['1', '1', '1', '1'], 'bad'));
  const onePath = await granted(a, { ...wants(4), runs: ['bad'] });
  assert.deepEqual([onePath.state, onePath.condemned], ['failing', []], 'one image says little');
  const three = await a(failedAt(['2', '3'], 'bad'));
  assert.deepEqual([three.state, three.condemned], ['down', ['bad']]);
  const other = await b({ ...wants(4), runs: ['good', 'bad'] });
  assert.deepEqual([other.state, other.condemned, other.slots], ['down', ['bad'], 0]);
  assert.ok(other.failingMs > 0);
});

test('without a connection a host is down for all runs', async (t) => {
  const [a] = workers(await startFleet(t), 1, { downMs: 1 });
  await a({ ...wants(4), ...noConnection, failures: 3, runs: ['one'] });
  const answer = await granted(a, { ...wants(4), runs: ['one', 'other'] });
  assert.deepEqual([answer.state, answer.condemned], ['down', ['one', 'other']]);
});

test('the request that tries goes to another run, wherever its images are, and a good answer opens the host for all', async (t) => {
  const [a, b] = workers(await startFleet(t), 2, {});
  await a(failedAt(['1', '2', '3'], 'bad', 'good'));
  assert.equal((await granted(a, { ...wants(4), runs: ['bad', 'good'] })).turnOf, 'good');
  await a({ ...failedAt(['9'], 'good', 'bad'), inUse: 0 });
  assert.equal((await granted(a, { ...wants(4), runs: ['bad', 'good'] })).turnOf, 'bad', 'in turn');
  await a(failedAt(['4'], 'bad'));
  await until(async () => (await b({ ...wants(4), runs: ['good'] })).slots === 1, 'the other worker may try');
  assert.equal((await a({ ...wants(4), runs: ['bad'] })).slots, 0);
  const opened = await b({ ...wants(4), good: true, runs: ['good'] });
  assert.deepEqual([opened.state, opened.trying, opened.turnOf], ['open', false, '']);
  assert.deepEqual((await a(failedAt(['5', '6'], 'bad'))).condemned, [], 'what came before is void');
});

test('a worker with many images of one host seldom visits its record', async (t) => {
  const fleet = await startFleet(t);
  const [visit] = workers(fleet, 1, {});
  let visits = 0;
  const gate = createHostGate({
    visitHost: (_, report) => {
      visits++;
      return visit(report);
    },
    patienceMs: 1_000,
    unresolvedMs: 1_000,
    names: resolvedNames,
    log: createLog('silent'),
  });
  let done = 0;
  const readImages = async () => {
    for (; done < 1_000; done++) {
      const turn = await gate.waitingInPlace(() => gate.enter('host.example', { run: 'r', path: '/' }));
      await fleet.redis.ping();
      turn.end('good');
    }
  };
  await Promise.all(Array.from({ length: 6 }, readImages));
  await gate.close();
  assert.ok(visits < 100, `${visits} visits`);
  assert.equal(
    await fleet.redis.exists(keysUnder('clipfleet').host('host.example')),
    0,
    'nothing is left of it',
  );
});
