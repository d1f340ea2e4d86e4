import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { repository } from '../support/fleet.ts';

const script = join(repository, 'dist/scripts/runTests.js');

test('every test file of the tree is run, however deep it lies', async () => {
  const entries = await readdir(join(repository, 'test'), { recursive: true });
  const written = entries.filter((path) => path.endsWith('.test.ts')).map((path) => join('dist/test', path));
  // Those that take minutes are run when they are named.
  const listed = [['--list'], ['--list', 'long']].flatMap((args) =>
    execFileSync(process.execPath, [script, ...args], { encoding: 'utf8' })
      .trim()
      .split('\n'),
  );
  assert.ok(written.length > 100);
  assert.deepEqual(listed.sort(), written.map((path) => path.replace(/ts$/, 'js')).sort());
});

test('a folder without tests is no success', () => {
  const { status, stderr } = spawnSync(process.execPath, [script, 'no-such-folder'], { encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stderr, /Expected a test below test\/\{no-such-folder\}, got none/);
});
