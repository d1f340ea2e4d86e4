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
  const listed = execFileSync(process.execPath, [script, '--list'], { encoding: 'utf8' });
  assert.ok(written.length > 100);
  assert.deepEqual(listed.trim().split('\n').sort(), written.map((path) => path.replace(/ts$/, 'js')).sort());
});

test('tests that take minutes are named so, and run only when asked for', () => {
  const listed = execFileSync(process.execPath, [script, '--list', '--long'], { encoding: 'utf8' });
  assert.deepEqual(listed.trim().split('\n'), ['dist/test/faults/redis-away.long.js']);
});

test('a folder without tests is no success', () => {
  const { status, stderr } = spawnSync(process.execPath, [script, 'no-such-folder'], { encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stderr, /Expected a test below test\/\{no-such-folder\}, got none/);
});
