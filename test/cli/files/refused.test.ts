import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { copyPictures, demoModel, startFleet } from '../../support/fleet.ts';

test('commands on files refuse what they cannot know, and change nothing', async (t) => {
  const fleet = await startFleet(t);
  await copyPictures(fleet, 'pictures', 2);
  const labeled = await fleet.run(
    'label',
    'pictures',
    '--labels',
    'fox,owl',
    '--model',
    demoModel,
    '--run',
    'r',
  );
  assert.equal(labeled.code, 0, labeled.stderr);
  const before = await readdir(join(fleet.folder, 'pictures'));
  for (const [args, says] of [
    [['tag', 'r', '--write', 'xmp'], /USAGE: Expected thresholds, got a label set without any/],
    [['tag', 'r'], /USAGE: Expected --write or --undo/],
    [['tag', '--write', 'xmp'], /USAGE: Expected the run whose labels are written/],
    [['sort', 'r'], /USAGE: Expected --into or --undo/],
    [['sort', 'r', '--into', 's', '--unsure', 's/owl'], /USAGE: Expected another folder for --unsure/],
    [['sort', 'none', '--into', 's'], /RUN_UNKNOWN/],
    [['sort', '--undo', 'pictures/0000-owl.jpg'], /USAGE: .*expected a log of clipfleet sort/],
    [['report', 'r', '-o', '-'], /USAGE: --output: expected a file/],
  ] as const) {
    const { code, stderr } = await fleet.run(...args);
    assert.match(stderr, says);
    assert.equal(code, 1, args.join(' '));
  }
  assert.deepEqual(await readdir(join(fleet.folder, 'pictures')), before);
  assert.ok(!(await readdir(fleet.folder)).includes('s'));
});
