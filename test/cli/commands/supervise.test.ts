import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  copyPictures,
  demoModel,
  type Fleet,
  jsonLines,
  type Running,
  startFleet,
} from '../../support/fleet.ts';
import { until } from '../../support/support.ts';

interface Line {
  msg: string;
  pid: number;
}

const COUNT = 400;

/** Lines of JSON that the supervisor and its processes have logged so far, whole ones. */
function linesOf(running: Running, msg: string): Line[] {
  const whole = running.text().stderr.split('\n').slice(0, -1);
  const logged = jsonLines<Line>(whole.filter((line) => line.startsWith('{')).join('\n'));
  return logged.filter((line) => line.msg.startsWith(msg));
}

async function enqueueMany(fleet: Fleet): Promise<void> {
  await copyPictures(fleet, 'many', COUNT);
  const flags = ['--labels', 'fox,bear,owl', '--model', demoModel, '--chunk-size', '8', '--run', 'r'];
  assert.equal((await fleet.run('enqueue', 'many', ...flags)).code, 0);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A supervisor with two processes; where a test fails, they go with it. */
function startTwo(t: TestContext, fleet: Fleet): Running {
  const flags = ['--model', demoModel, '--devices', 'cpu,cpu', '--lock-ms', '1000'];
  const workers = fleet.start('worker', ...flags);
  t.after(() => {
    for (const { pid } of linesOf(workers, 'worker process started'))
      if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  });
  return workers;
}

test('a worker process that is killed is replaced, and the run completes; SIGTERM ends all', async (t) => {
  const fleet = await startFleet(t);
  await enqueueMany(fleet);
  const { store, runs } = fleet.producer;
  const workers = startTwo(t, fleet);
  await until(() => linesOf(workers, 'worker ready').length === 2, 'both are ready');
  const [first, second] = linesOf(workers, 'worker process started').map(({ pid }) => pid);
  process.kill(first!, 'SIGKILL');
  const started = () => linesOf(workers, 'worker process started');
  await until(() => started().length === 3, 'another is started');
  await until(() => linesOf(workers, 'worker ready').length === 3, 'it is ready');
  await until(async () => (await runs.get('r'))?.state === 'complete', 'the run is complete');
  assert.deepEqual(await store.counts('r'), { classified: COUNT, failed: 0, failures: {} });

  workers.child.kill('SIGTERM');
  const { code, stderr } = await workers.ended;
  assert.equal(code, 0, stderr);
  assert.equal(linesOf(workers, 'worker stopped').length, 2, 'both had time to finish');
  assert.equal(started().length, 3, 'nothing was started again');
  for (const pid of [first!, second!, started()[2]!.pid]) assert.ok(!isAlive(pid), `${pid} is gone`);
});

test('a signal that also reaches the processes themselves counts once: they finish what they have', async (t) => {
  const fleet = await startFleet(t);
  await enqueueMany(fleet);
  await fleet.producer.control.pause('r', 'until both are ready');
  const workers = startTwo(t, fleet);
  // One that still loads its model has nothing to finish, and ends by the signal.
  await until(() => linesOf(workers, 'worker ready').length === 2, 'both are ready');
  assert.equal((await fleet.run('resume', 'r')).code, 0);
  await until(async () => (await fleet.producer.store.counts('r')).classified > 0, 'they work');
  const pids = linesOf(workers, 'worker process started').map(({ pid }) => pid);
  for (const pid of [...pids, workers.child.pid!]) process.kill(pid, 'SIGINT');
  const { code, stderr } = await workers.ended;
  assert.equal(code, 0, stderr);
  assert.equal(linesOf(workers, 'worker stopped').length, 2);
  assert.deepEqual(
    linesOf(workers, 'worker process started').map(({ pid }) => pid),
    pids,
  );
});

test('when the supervisor is killed, its processes finish and end', async (t) => {
  const fleet = await startFleet(t);
  await enqueueMany(fleet);
  const workers = startTwo(t, fleet);
  await until(async () => (await fleet.producer.store.counts('r')).classified > 0, 'they work');
  const pids = linesOf(workers, 'worker process started').map(({ pid }) => pid);
  workers.child.kill('SIGKILL');
  await until(() => pids.every((pid) => !isAlive(pid)), 'they are gone');
  await workers.ended;
  assert.equal(linesOf(workers, 'worker stopped').length, 2, 'they ended in order');
  const { images, pending } = (await fleet.producer.runs.get('r'))!;
  assert.equal(
    (await fleet.producer.store.counts('r')).classified,
    images - pending,
    'no chunk is half done',
  );
});

test('a second signal kills them', async (t) => {
  const fleet = await startFleet(t);
  const workers = startTwo(t, fleet);
  await until(() => linesOf(workers, 'worker ready').length === 2, 'both are ready');
  const pids = linesOf(workers, 'worker process started').map(({ pid }) => pid);
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  workers.child.kill('SIGTERM');
  await until(() => workers.text().stderr.includes('finish the images in flight'), 'it has heard');
  workers.child.kill('SIGTERM');
  // Not the end of its output, which a process that was left behind would hold open.
  await until(() => workers.child.signalCode === 'SIGTERM', 'it ends by the signal');
  await until(() => pids.every((pid) => !isAlive(pid)), 'they are gone');
});

test('what cannot be started is given up after three times, with the exit code of a command that could not run', async (t) => {
  const fleet = await startFleet(t);
  const workers = fleet.start('worker', '--model', 'no-such-folder', '--processes', '1');
  await until(() => workers.text().stderr.includes('giving up'), 'it gives up');
  const { code, stderr } = await workers.ended;
  assert.equal(code, 1);
  assert.equal(stderr.match(/^clipfleet: MODEL_NOT_FOUND/gm)?.length, 3, stderr);
  assert.match(stderr, /ended 3 times before it was ready: giving up/);
});

test('--devices and --processes exclude each other', async (t) => {
  const fleet = await startFleet(t);
  const both = await fleet.run('worker', '--devices', 'cpu,cpu', '--processes', '2');
  assert.equal(both.code, 1);
  assert.match(both.stderr, /^clipfleet: USAGE: Expected --devices or --processes/);
  const unknown = await fleet.run('worker', '--devices', 'cpu,abacus');
  assert.match(unknown.stderr, /^clipfleet: USAGE: --devices: Expected auto, cpu, cuda.*abacus/);
});
