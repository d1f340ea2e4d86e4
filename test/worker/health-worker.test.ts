// A worker's own word over HTTP, while its Redis goes and when it is told to stop; and a lane that is opened anew beside its work.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openLanes } from '../../src/worker/openLanes.ts';
import { demoModel, type Fleet, type Running, startFleet } from '../support/fleet.ts';
import { serverPid } from '../support/holder.ts';
import { addRun, keepLog, laneOfTest, openLaneHere } from '../support/laneInProcess.ts';
import { until } from '../support/support.ts';

async function startWorker(fleet: Fleet, ...args: string[]): Promise<{ worker: Running; port: number }> {
  const worker = fleet.start('worker', '--model', demoModel, '--health-port', '0', ...args);
  const said = () => /"healthPort":(\d+)/.exec(worker.text().stderr)?.[1];
  await until(() => said() !== undefined, 'the worker says its port');
  return { worker, port: Number(said()) };
}

interface Ready {
  ready: boolean;
  reasons: string[];
  session: { works: boolean };
}

async function ask(port: number, path: string): Promise<{ status: number; body: Ready }> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: answer.status, body: (await answer.json()) as Ready };
}

test('a worker is ready while its session and its Redis answer; it is alive without Redis too', async (t) => {
  const fleet = await startFleet(t);
  const { worker, port } = await startWorker(fleet);
  await until(async () => (await ask(port, '/ready')).status === 200, 'it is ready');
  const { body } = await ask(port, '/ready');
  assert.deepEqual([body.reasons, body.session.works], [[], true]);
  assert.equal((await fetch(`http://127.0.0.1:${port}/jobs`)).status, 404);
  assert.equal((await fetch(`http://127.0.0.1:${port}/ready`, { method: 'POST' })).status, 405);

  const pid = await serverPid(fleet.redis.options.path!);
  process.kill(pid, 'SIGSTOP');
  try {
    await until(async () => (await ask(port, '/ready')).status === 503, 'it is not ready');
    assert.deepEqual((await ask(port, '/ready')).body.reasons, ['Redis does not answer']);
    assert.equal((await ask(port, '/health')).status, 200);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await until(async () => (await ask(port, '/ready')).status === 200, 'it is ready again');
  worker.child.kill('SIGTERM');
  assert.equal((await worker.ended).code, 0);
});

test('a port that is taken is named', async (t) => {
  const fleet = await startFleet(t);
  const { port } = await startWorker(fleet);
  const second = await fleet.run('worker', '--model', demoModel, '--health-port', String(port));
  assert.equal(second.code, 1);
  assert.match(second.stderr, /PORT_UNAVAILABLE.*--health-port/s);
});

test('a lane that is opened anew takes jobs, and what it had in hand is finished', async (t) => {
  const fleet = await startFleet(t);
  const { runs, store } = fleet.producer;
  const { log } = keepLog();
  await addRun(fleet, 40);
  const held: (() => void)[] = [];
  let isHolding = true;
  const classify = async () => {
    if (isHolding) await new Promise<void>((resolve) => held.push(resolve));
    return [{ index: 1, score: 0.5 }];
  };
  const lanes = openLanes([{ name: laneOfTest }], () => openLaneHere(fleet, { log, classify }), log);
  const [watched] = lanes.watched;
  await until(() => held.length === 8, 'two chunks are in hand');
  assert.deepEqual([watched!.hasRoom(), watched!.taken(), await watched!.waiting()], [false, 2, 8]);
  watched!.reopen();
  assert.equal(watched!.hasRoom(), true);
  await until(() => held.length === 16, 'the new one takes two more');
  isHolding = false;
  for (const letGo of held) letGo();
  try {
    await until(async () => (await runs.get('r'))?.state === 'complete', 'the run is complete');
    assert.deepEqual(await store.counts('r'), { classified: 40, failed: 0, failures: {} });
  } finally {
    await lanes.close();
  }
});
