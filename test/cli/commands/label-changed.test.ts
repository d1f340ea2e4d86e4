import assert from 'node:assert/strict';
import { copyFile, mkdir, readFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { demoModel, type Fleet, jsonLines, pictures, startFleet } from '../../support/fleet.ts';

const how = ['--labels', 'owl,fox,car', '--model', demoModel, '--run', 'holidays', '--output', 'rows.jsonl'];

/** Id and best label of each row. */
async function bestLabels(fleet: Fleet): Promise<string[][]> {
  const text = await readFile(join(fleet.folder, 'rows.jsonl'), 'utf8');
  const rows = jsonLines<{ id: string; generation: number; predictions: { label: string }[] }>(text);
  return rows.map(({ id, generation, predictions }) => [id, predictions[0]!.label, String(generation)]);
}

test('next month the same command labels what is new, and with --changed what was written anew', async (t) => {
  const fleet = await startFleet(t);
  const put = async (picture: string, name: string, time = new Date('2026-01-01')) => {
    const path = join(fleet.folder, 'd', name);
    await copyFile(join(pictures, picture), path);
    await utimes(path, time, time);
  };
  await mkdir(join(fleet.folder, 'd'));
  await put('owl.jpg', 'a.jpg');
  await put('fox.jpg', 'b.jpg');
  assert.equal((await fleet.run('label', 'd', ...how)).code, 0);
  const first = [
    ['d/a.jpg', 'owl', '0'],
    ['d/b.jpg', 'fox', '0'],
  ];
  assert.deepEqual(await bestLabels(fleet), first);

  await put('car.jpg', 'b.jpg', new Date(Date.now() + 60_000));
  await put('car.jpg', 'c.jpg');
  assert.equal((await fleet.run('label', 'd', ...how)).code, 0);
  assert.deepEqual(await bestLabels(fleet), [...first, ['d/c.jpg', 'car', '0']], 'what is new alone');

  const changed = await fleet.run('label', 'd', ...how, '--changed');
  assert.equal(changed.code, 0, changed.stderr);
  assert.match(changed.stderr, /1 changed file labeled again/);
  assert.deepEqual(await bestLabels(fleet), [
    ['d/a.jpg', 'owl', '0'],
    ['d/b.jpg', 'car', '1'],
    ['d/c.jpg', 'car', '0'],
  ]);
});

test('--changed without a run is refused', async (t) => {
  const fleet = await startFleet(t);
  const { code, stderr } = await fleet.run(
    'label',
    pictures,
    '--labels',
    'owl,fox',
    '--model',
    demoModel,
    '--changed',
  );
  assert.equal(code, 1);
  assert.match(stderr, /--changed: expected --run/);
});
