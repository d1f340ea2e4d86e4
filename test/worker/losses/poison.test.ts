// An image that kills the process that works on it: it is found out and fails, and no other does.
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { demoModel, startFleet } from '../../support/fleet.ts';
import { serveHttp } from '../../support/imageServer.ts';
import { addRun } from '../../support/laneInProcess.ts';
import { owl } from '../../support/politeFleet.ts';
import { until } from '../../support/support.ts';

const LONG_MS = 120_000;

test('a poison image costs four processes and itself: its chunk of four is halved, and it dies alone twice', async (t) => {
  const fleet = await startFleet(t);
  const { runs, store } = fleet.producer;
  await addRun(fleet, 24);
  const deaths = join(fleet.folder, 'deaths');
  const poison = 'i9';
  const workers = new Set<ChildProcess>();
  let isOver = false;
  const start = () => {
    const about = [fleet.redis.options.path!, poison, deaths];
    const child = fork(new URL('../../support/poisoned-worker.js', import.meta.url), about);
    workers.add(child);
    child.once('exit', () => {
      workers.delete(child);
      if (!isOver) start();
    });
  };
  t.after(() => {
    isOver = true;
    for (const child of workers) child.kill('SIGKILL');
  });
  start();
  start();
  await until(async () => (await runs.get('r'))?.state === 'complete', 'the run is complete', LONG_MS);
  assert.deepEqual(await store.counts('r'), {
    ...{ classified: 23, failed: 1, failures: { IMAGE_CRASHED_WORKER: 1 } },
  });
  const rows = await fleet.rows('r');
  assert.deepEqual([rows.length, new Set(rows.map(({ id }) => id)).size], [24, 24]);
  assert.equal(rows.find(({ status }) => status === 'failed')?.id, poison);
  const others = (await readFile(deaths, 'utf8')).trim().split('\n').map(Number);
  assert.deepEqual(others.slice(-2), [0, 0], 'nothing else was in hand');
  assert.ok(others.length <= 4, `${others.length} processes died`);
  assert.deepEqual([await runs.pending('r'), await runs.active('r')], [[], 0]);
});

test('label dies of a poison image, and knows what it died of when it continues', async (t) => {
  const fleet = await startFleet(t);
  let label = fleet.start('--version');
  await label.ended;
  let deaths = 0;
  const url = await serveHttp(t, ({ url: path }, response) => {
    if (path !== '/poison.jpg') return void response.end(owl);
    deaths++;
    label.child.kill('SIGKILL');
  });
  const names = ['a', 'b', 'poison', 'c', 'd', 'e'];
  await writeFile(join(fleet.folder, 'list.txt'), names.map((name) => `${url}/${name}.jpg`).join('\n'));
  const how = ['--model', demoModel, '--labels', 'fox,owl', '--chunk-size', '2', '--allow-private-addresses'];
  const again = () => fleet.start('label', 'list.txt', '--run', 'r', ...how);
  for (label = again(); (await label.ended).code === null; label = again())
    assert.ok(deaths <= 3, `it died ${deaths} times`);
  const { code, stderr } = await label.ended;
  assert.equal(code, 2, stderr);
  assert.equal(deaths, 3, 'with its chunk of two, and alone twice');
  assert.deepEqual(await fleet.producer.store.counts('r'), {
    ...{ classified: 5, failed: 1, failures: { IMAGE_CRASHED_WORKER: 1 } },
  });
  const failed = (await fleet.rows('r')).find(({ status }) => status === 'failed');
  assert.equal(failed?.uri, `${url}/poison.jpg`);
});
