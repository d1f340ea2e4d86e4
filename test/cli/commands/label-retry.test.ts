import assert from 'node:assert/strict';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { demoModel, pictures, startFleet } from '../../support/fleet.ts';

test('label ends with the run and the commands that go on, and they do', async (t) => {
  const fleet = await startFleet(t);
  const folder = join(fleet.folder, 'mixed');
  await mkdir(folder);
  await copyFile(join(pictures, 'owl.jpg'), join(folder, 'owl.jpg'));
  await writeFile(join(folder, 'cat.webp'), '');
  const label = () =>
    fleet.run('label', 'mixed', '--labels', 'owl,cat', '--model', demoModel, '--run', 'mine');

  const first = await label();
  assert.equal(first.code, 2, first.stderr);
  assert.match(first.stdout, /^Best label\nowl {2}1 +100\.0 % +█+$/m);
  assert.match(first.stdout, /^1 IMAGE_EMPTY, such as mixed\/cat\.webp: /m);
  assert.match(first.stderr, /^Run mine: 2 images: 1 classified, 1 failed$/m);
  for (const command of ['clipfleet results mine', 'clipfleet retry mine'])
    assert.ok(first.stderr.includes(command), first.stderr);

  await copyFile(join(pictures, 'cat.webp'), join(folder, 'cat.webp'));
  const again = await label();
  assert.equal(again.code, 2, 'without retry a failed image keeps its row');
  assert.equal((await fleet.run('retry', 'mine')).code, 0);
  const retried = await label();
  assert.equal(retried.code, 0, retried.stderr);
  assert.match(retried.stderr, /^Run mine: 2 images: 2 classified$/m);
  assert.doesNotMatch(retried.stderr, /clipfleet retry/);
});

test('of many images label shows the summary, and the table where it is asked for', async (t) => {
  const fleet = await startFleet(t);
  const folder = join(fleet.folder, 'many');
  await mkdir(folder);
  for (let i = 0; i < 21; i++) await copyFile(join(pictures, 'owl.jpg'), join(folder, `${i}.jpg`));
  const args = ['many', '--labels', 'owl,cat', '--model', demoModel, '--run', 'many'];
  const { stdout } = await fleet.run('label', ...args);
  assert.match(stdout, /^Best label\nowl +21 +100\.0 %/);
  assert.match(stdout, /^Least sure$/m);
  const table = await fleet.run('label', ...args, '--table');
  assert.equal(table.stdout.match(/^many\/\d+\.jpg +owl /gm)?.length, 21 + 5, 'and the least sure');
});
