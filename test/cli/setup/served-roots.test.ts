import assert from 'node:assert/strict';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { rootFaults, rootOfUri } from '../../../src/cli/setup/servedRoots.ts';
import { demoModel, pictures, startFleet } from '../../support/fleet.ts';
import { until } from '../../support/support.ts';

const here = new Map([
  ['.', '/a'],
  ['data', '/mnt/data'],
]);
const worker = (roots: Record<string, string> | undefined, host = 'here') => ({
  host,
  pid: 7,
  ...(roots && { roots }),
});

test('roots that workers do not serve, or serve from another folder of this host, are named', () => {
  const faults = (used: string[], ...workers: ReturnType<typeof worker>[]) =>
    rootFaults(used, here, workers, 'here');
  assert.deepEqual(faults(['data', '.']), [], 'nobody to compare with');
  assert.deepEqual(faults(['data'], worker(undefined)), [], 'a worker of an older version');
  assert.deepEqual(faults(['data'], worker({ data: '/srv/data' }, 'there')), [], 'mounted elsewhere');
  assert.deepEqual(faults([], worker({ x: '/x' })), [], 'no files');
  assert.match(
    faults(['data'], worker({ '.': '/a' }))[0]!,
    /no worker .* "data": start workers with --root data=\/mnt\/data/,
  );
  assert.match(
    faults(['.'], worker({ '.': '/b' }))[0]!,
    /"\." is \/a here and \/b for the worker 7 on this host/,
  );
});

test('the root of a uri', () => {
  const uris = [
    'x/a.jpg',
    'root://data/a.jpg',
    'root://data/',
    'tar:512+3:root://data/a.tar',
    'https://example.org/a.jpg',
  ];
  assert.deepEqual(uris.map(rootOfUri), ['.', 'data', 'data', 'data', undefined]);
});

test('enqueue warns where a worker reads paths below another folder', async (t) => {
  const fleet = await startFleet(t);
  await mkdir(join(fleet.folder, 'other'));
  await copyFile(join(pictures, 'owl.jpg'), join(fleet.folder, 'owl.jpg'));
  const running = fleet.start('worker', '--model', demoModel, '--root', join(fleet.folder, 'other'));

  await until(() => /worker ready/.test(JSON.stringify(running.text())), 'the worker is ready');
  const enqueue = (...args: string[]) =>
    fleet.run('enqueue', 'owl.jpg', '--labels', 'owl,fox', '--model', demoModel, ...args);
  const plain = await enqueue();
  assert.equal(plain.code, 0, plain.stderr);
  assert.match(
    plain.stderr,
    /Warning: the root "\." is .* here and .*\/other for the worker \d+ on this host/,
  );
  const named = await enqueue('--root', `data=${fleet.folder}`);
  assert.match(named.stderr, /Warning: no worker of this model serves the root "data"/);
});
